"""DOOR: the pages, by audience."""
