"""Faults thrown at the running product, and what it says afterwards held against what its clients were told (docs/faults.md)."""
