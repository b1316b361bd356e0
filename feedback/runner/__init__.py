"""Keeps one machine's instance running: Redis, web, worker and scheduler under ./start. Knows no ticket and no table."""
