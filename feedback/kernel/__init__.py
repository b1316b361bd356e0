"""What every room stands on: database, transaction, clock, actor, errors, outbox, audit. It knows no ticket."""
