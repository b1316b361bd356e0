"""The ticket itself: its tables, the lifecycle table, the one transition, who sees what, the timeline."""
