"""Deadlines: policies, clocks, pauses, alarms and the sweep. It knows ids and facts, no ticket."""
