"""How the one who raised it judges it: confirm, dispute, reopen, withdraw, or silence."""
