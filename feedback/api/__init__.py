"""DOOR: JSON under /api/v1 and its description."""
