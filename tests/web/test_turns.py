"""Pages of a process take turns on SQLite: one at a time, nobody for long, and writers not at all."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import pytest

from feedback.web import turns
from feedback.web.turns import OneAtATime

SOON = 10.0


class _Slow:
    """An application whose requests go on until they are let go; it says how many are within."""

    def __init__(self) -> None:
        self.within = 0
        self.entered, self.let_go = Event(), Event()

    def __call__(self, environ: Any, _start: Any) -> list[bytes]:
        self.within += 1
        self.entered.set()
        if environ.get("is_slow"):
            assert self.let_go.wait(SOON)
        self.within -= 1
        return [b"page"]


def _asks(app: OneAtATime, method: str = "GET", *, is_slow: bool = False) -> Thread:
    environ = {"REQUEST_METHOD": method, "is_slow": is_slow}
    thread = Thread(target=lambda: app(environ, lambda *_: lambda _: None), daemon=True)
    thread.start()
    return thread


def test_a_second_page_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", SOON)
    slow = _Slow()
    app = OneAtATime(slow)
    first = _asks(app, is_slow=True)
    assert slow.entered.wait(SOON)
    second = _asks(app)
    second.join(0.1)
    assert second.is_alive()
    slow.let_go.set()
    first.join(SOON)
    second.join(SOON)
    assert not second.is_alive()


@pytest.mark.parametrize(("method", "longest"), [("GET", 0.01), ("POST", SOON)])
def test_nobody_waits_for_one_long_page_for_ever_and_writers_do_not_wait(
    monkeypatch: pytest.MonkeyPatch, method: str, longest: float
) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", longest)
    slow = _Slow()
    app = OneAtATime(slow)
    first = _asks(app, is_slow=True)
    assert slow.entered.wait(SOON)
    second = _asks(app, method)
    second.join(SOON / 2)
    assert not second.is_alive()
    assert first.is_alive()
    slow.let_go.set()
    first.join(SOON)


def test_a_turn_ends_with_a_page_that_fails() -> None:
    def failing(_environ: Any, _start: Any) -> list[bytes]:
        raise ValueError("the page")

    app = OneAtATime(failing)
    for _ in range(2):
        with pytest.raises(ValueError, match="the page"):
            app({"REQUEST_METHOD": "GET"}, lambda *_: lambda _: None)
