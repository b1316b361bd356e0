"""A child that is forked from this process instead of started anew: it shares in memory what this one has loaded."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Forked:
    """What subprocess.Popen is for a program, for a function of this one: `run` answers the exit code."""

    def __init__(
        self, run: Callable[[], int], *, log: BinaryIO, environ: Mapping[str, str], prepare: Callable[[], None] | None
    ) -> None:
        self.returncode: int | None = None
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or the child would say it again
        self.pid = os.fork()
        if self.pid == 0:
            _be_child(run, log, environ, prepare)

    def poll(self) -> int | None:
        """Its exit status where it has ended, negative for a signal; None while it runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int:
        """Wait for its end."""
        return self._look(0) or 0

    def send_signal(self, number: int) -> None:
        """Send it a signal unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _look(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _be_child(
    run: Callable[[], int], log: BinaryIO, environ: Mapping[str, str], prepare: Callable[[], None] | None
) -> None:
    """The child's whole life: never comes back to what the parent was doing."""
    code = 1
    try:
        os.setsid()
        for number in ENDS:
            signal.signal(number, signal.SIG_DFL)
        if prepare is not None:
            prepare()
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        for standard in (1, 2):
            os.dup2(log.fileno(), standard)
        os.environ.update(environ)
        code = run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
