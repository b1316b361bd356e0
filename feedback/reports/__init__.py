"""Figures for leaders: pure definitions, and the queries that count and list alike."""
