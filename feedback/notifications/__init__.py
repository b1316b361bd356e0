"""Who is told of what, in which words, by which channel. It reads tickets and the outbox; it changes no ticket."""
