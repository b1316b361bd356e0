"""Keeps one machine's instance running under ./start: Redis, web, worker, scheduler. Knows no ticket, no table."""
