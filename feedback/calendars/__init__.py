"""Business calendars: which hours count as working time. Pure arithmetic in worktime.py; it knows no ticket."""
