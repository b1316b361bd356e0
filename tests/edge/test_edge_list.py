"""The list of the 77 edge cases that deadlines are designed against: each number has one collected test."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("edge_cases.csv")


def test_each_number_of_the_list_has_exactly_one_test(request: pytest.FixtureRequest) -> None:
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = Counter(int(row["number"]) for row in rows)
    assert set(numbers.values()) == {1}
    assert set(numbers) == set(range(1, 78))
    tests = {row["test"] for row in rows}
    assert len(tests) == len(rows)
    missing = tests - {item.nodeid for item in request.session.items}
    assert missing - set(_collect(missing)) == set()


def _collect(tests: set[str]) -> list[str]:
    """What these tests' files hold, where this run has not collected them itself."""
    if not tests:
        return []
    files = sorted({test.split("::")[0] for test in tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert said.returncode == 0, said.stdout[-2000:] + said.stderr[-2000:]
    return said.stdout.splitlines()
