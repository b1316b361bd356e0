"""Measures of speed: a seeded database of any size, our server beside a bare Flask page, figures as JSON. See docs/speed.md."""
