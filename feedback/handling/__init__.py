"""How a unit works on it: acknowledge, ask, reply, resolve."""
