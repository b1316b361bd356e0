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


DOSES = {
    "F1": Dose(kills=8, has_files=True),
    "F2": Dose(kills=4),
    "F3": Dose(kills=4, size=20),
    "F4": Dose(kills=10),
    "F8": Dose(kills=2, size=20),
    "F9": Dose(kills=0, size=60),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", DOSES)
def test_small_dose_of_each_fault_leaves_nothing_lost_double_or_half(fault: str) -> None:
    verdict = throw(fault, DOSES[fault])
    assert verdict.holds, verdict.as_json()
    assert verdict.is_counted, verdict.as_json()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("fault", DOSES)
def test_small_dose_of_each_fault_on_postgresql(fault: str, postgres_url: str) -> None:
    verdict = throw(fault, DOSES[fault], postgres_url)
    assert verdict.holds, verdict.as_json()
    assert verdict.is_counted, verdict.as_json()
