"""How it is watched: urging, urgency and what the system does when time is up."""
