"""How a unit works on it: acknowledge, ask, reply, ask for more time, resolve."""
