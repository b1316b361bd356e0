"""Units, accounts, the roles they hold, sign-in and tokens. It knows no ticket."""
