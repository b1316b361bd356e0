"""Small doses of each fault against the real product; docs/faults.md has the larger ones."""

from __future__ import annotations

import sys

import pytest

from tests.faults.dose import Dose
from tests.faults.run import throw

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the web processes in /proc"),
]


def test_killed_web_processes_lose_no_submission_and_take_none_twice() -> None:
    verdict = throw("F1", Dose(kills=3, longest_wait=0.6))
    assert verdict.holds, verdict.as_json()
    assert verdict.landed >= 2, verdict.as_json()


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
