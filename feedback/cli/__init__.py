"""DOOR: flask commands."""
