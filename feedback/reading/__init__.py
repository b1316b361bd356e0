"""What is read of tickets: lists, counts, one ticket, its timeline, search. Never writes a ticket."""
