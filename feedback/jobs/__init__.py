"""DOOR: job queues, the periodic list, the relay of the outbox."""
