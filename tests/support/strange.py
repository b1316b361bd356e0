"""Values that no link of ours holds and somebody will send all the same."""

from __future__ import annotations

STRANGE = (
    "%00",
    "%FF%FE",
    "%20",
    "-1",
    "0",
    "999999999999999999999999",
    "null",
    "true",
    "2026-13-45",
    "0001-01-01",
    "9999-12-31",
    "%27%3B+DROP+TABLE+ticket%3B--",
    "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "%F0%9F%92%A7",
    "%E2%80%AE%E6%B0%B4",
    "%25_%25",
    "a" * 3000,
    "WyJkdWUiLG51bGwsMV0",
    "e30",
    "../../etc/passwd",
)
