"""DOOR: JSON under /api/v1, its OpenAPI document and the readable docs. No rule lives here; every write is a use-case."""
