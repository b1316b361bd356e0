"""How a job runs: in an application context of its own, with no words of a ticket in what Redis keeps of a failure."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

from flask import Flask
from rq.timeouts import BaseTimeoutException

P = ParamSpec("P")

log = logging.getLogger(__name__)
_installed: dict[str, Flask] = {}


class TaskFailed(Exception):
    """A job failed; it names the task and the kind of failure alone. The log has the rest."""


def install(app: Flask) -> None:
    """Set the application that jobs of this process run in."""
    _installed["app"] = app


def task(function: Callable[P, object]) -> Callable[P, None]:
    """Make a function a job: it runs in the installed application, opens its own transactions, and answers nothing.

    Raises TaskFailed, which holds no values, since Redis keeps the traceback of a failed job for days.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with _installed["app"].app_context():
            try:
                function(*args, **kwargs)
            except BaseTimeoutException:
                raise
            except Exception as error:
                log.exception("job %s failed", function.__name__)
                failure = f"{function.__name__}: {type(error).__name__}"
            else:
                return
        raise TaskFailed(failure)

    return run
