"""Fixtures of the edge cases that need a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.jobs.sink import Sink


@pytest.fixture
def sink() -> Iterator[Callable[..., Sink]]:
    """Makes SMTP servers on loopback; each keeps what it took."""
    made: list[Sink] = []

    def make() -> Sink:
        made.append(Sink())
        return made[-1]

    yield make
    for each in made:
        each.close()
