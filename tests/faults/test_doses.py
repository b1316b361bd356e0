"""Small doses of each fault against the real product; docs/faults.md has the larger ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults.dose import Dose
from tests.faults.run import throw

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the web processes in /proc"),
]


def test_twenty_kills_of_web_worker_and_schedulers_leave_nothing_lost_double_or_half(sqlite_template: Path) -> None:
    verdict = throw("all", Dose(kills=20), template=sqlite_template)
    assert verdict.holds, verdict.as_json()
    assert verdict.is_counted, verdict.as_json()


@pytest.mark.slow
def test_killed_web_processes_on_postgresql(postgres_url: str) -> None:
    verdict = throw("F1", Dose(kills=8), postgres_url)
    assert verdict.holds, verdict.as_json()
    assert verdict.is_counted, verdict.as_json()


DOSES = {
    "F2": Dose(kills=4),
    "F3": Dose(kills=4, size=20),
    "F4": Dose(kills=6),
    "F8": Dose(kills=2, size=20),
    "F9": Dose(kills=0, size=60),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", DOSES)
def test_small_dose_of_each_fault_leaves_nothing_lost_double_or_half(fault: str) -> None:
    verdict = throw(fault, DOSES[fault])
    assert verdict.holds, verdict.as_json()
    assert verdict.is_counted, verdict.as_json()
