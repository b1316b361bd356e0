"""Child processes kept alive: started, watched, started again with back-off, and stopped in order.

Knows nothing of what the children do; the list of them is data. No threads, so that it may fork safely.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feedback.runner.forked import Forked

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.1


class Stopped(Exception):
    """Somebody asked for the end (Ctrl-C, SIGTERM, a closed terminal) while something was waited for."""


class GaveUp(Exception):
    """A part or an order failed; the message says which, and where its log is."""


@dataclass(frozen=True, slots=True)
class Part:
    """One long-running child. patience: seconds from SIGTERM until it is told again, and then killed.

    `run`: forked from this process and given that to do, instead of started by argv. `is_heard`: what it prints is for
    the console; only its errors go to its log.
    """

    name: str
    argv: tuple[str, ...]
    patience: float = 10.0
    environ: Mapping[str, str] = field(default_factory=dict)
    run: Callable[[], int] | None = None
    is_heard: bool = False


@dataclass(slots=True)
class _Kept:
    part: Part
    process: subprocess.Popen[bytes] | Forked
    started: float
    failures: int = 0
    again_at: float | None = None


@dataclass
class Supervisor:
    """Runs parts and one-off orders. Back-off and settling are in seconds; say prints one short line."""

    log_dir: Path
    cwd: Path
    environ: Mapping[str, str]
    say: Callable[[str], None] = print
    first_wait: float = 0.5
    longest_wait: float = 30.0
    settled_after: float = 60.0
    stop_asked: int = 0
    _kept: list[_Kept] = field(default_factory=list)

    def catch_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask for the end; a second time they make it quick."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started under nohup: meant to outlive its terminal
            signal.signal(number, self._ask_stop)

    def start(self, part: Part) -> int:
        """Start a part and keep it running from now on; answers its process id."""
        process = self._spawn(part)
        self._kept.append(_Kept(part, process, time.monotonic()))
        return process.pid

    def failures(self) -> dict[str, int]:
        """How often each part ended by itself since it last ran for settled_after seconds."""
        return {kept.part.name: kept.failures for kept in self._kept}

    def pids(self) -> dict[str, int]:
        """The process id of each part, by name."""
        return {kept.part.name: kept.process.pid for kept in self._kept}

    def tick(self) -> None:
        """Look after every part once. Raises Stopped when the end was asked for."""
        if self.stop_asked:
            raise Stopped
        now = time.monotonic()
        for kept in self._kept:
            if kept.again_at is not None:
                if now >= kept.again_at:
                    self._start_again(kept)
            elif (status := kept.process.poll()) is not None:
                self._note_end(kept, status, now)
            elif kept.failures and now - kept.started > self.settled_after:
                kept.failures = 0

    def pause(self, seconds: float = POLL_SECONDS) -> None:
        """Wait while looking after the parts."""
        until = time.monotonic() + seconds
        while True:
            self.tick()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(POLL_SECONDS, left))

    def watch(self) -> None:
        """Look after the parts until the end is asked for."""
        with contextlib.suppress(Stopped):
            while True:
                self.pause(1.0)

    def order(self, name: str, argv: Sequence[str], *, stdin: str = "", seconds: float = 900) -> str:
        """Run one command to its end and answer its standard output; its errors go to logs/orders.log.

        Raises GaveUp where it fails or takes longer than seconds, Stopped where the end is asked for meanwhile.
        """
        log_path = self.log_dir / "orders.log"
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, log_path.open("ab") as log:
            given.write(stdin.encode())
            given.seek(0)
            start = log.tell()
            process = self._popen(argv, {}, stdin=given, stdout=out, stderr=log)
            try:
                status = self._await_order(process, seconds)
            finally:
                _signal_group(process.pid, signal.SIGKILL)
            out.seek(0)
            answer = out.read().decode(errors="replace")
        if status != 0:
            said = log_path.read_bytes()[start:].decode(errors="replace") + answer
            raise GaveUp(f"{name} failed ({_ending(status)}):\n{last_lines(said)}")
        return answer

    def stop(self) -> None:
        """Stop all parts, the last started first."""
        for kept in reversed(self._kept):
            self._stop_one(kept)
        self._kept.clear()

    def _ask_stop(self, _number: int, _frame: object) -> None:
        self.stop_asked += 1

    def _await_order(self, process: subprocess.Popen[bytes], seconds: float) -> int:
        until = time.monotonic() + seconds
        while (status := process.poll()) is None:
            if time.monotonic() > until:
                _signal_group(process.pid, signal.SIGKILL)
                return process.wait()
            self.pause()
        return status

    def _note_end(self, kept: _Kept, status: int, now: float) -> None:
        if now - kept.started > self.settled_after:
            kept.failures = 0
        wait = min(self.longest_wait, self.first_wait * 2**kept.failures)
        kept.failures += 1
        kept.again_at = now + wait
        # What the dead process left behind in its group would hold its port or its place.
        _signal_group(kept.process.pid, signal.SIGTERM)
        log = self.log_dir / f"{kept.part.name}.log"
        self.say(f"{kept.part.name} ended ({_ending(status)}); starting it again in {wait:g} s. Log: {log}")

    def _start_again(self, kept: _Kept) -> None:
        _signal_group(kept.process.pid, signal.SIGKILL)
        kept.process = self._spawn(kept.part)
        kept.started = time.monotonic()
        kept.again_at = None

    def _stop_one(self, kept: _Kept) -> None:
        process = kept.process
        for sent in (signal.SIGTERM, signal.SIGTERM):
            if process.poll() is not None:
                break
            # The second SIGTERM makes an RQ worker drop its job, which another one takes up later.
            process.send_signal(sent)
            self._wait_end(process, kept.part.patience)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()

    def _wait_end(self, process: subprocess.Popen[bytes] | Forked, patience: float) -> None:
        until = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < until and self.stop_asked < 2:
            time.sleep(0.02)

    def _spawn(self, part: Part) -> subprocess.Popen[bytes] | Forked:
        path = self.log_dir / f"{part.name}.log"
        with path.open("ab", buffering=0) as log:
            if part.run is not None:
                return Forked(part.run, log=log, environ=part.environ, prepare=_die_with_parent)
            out = None if part.is_heard else log
            return self._popen(part.argv, part.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=log)

    def _popen(self, argv: Sequence[str], extra: Mapping[str, str], **files: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            list(argv),
            cwd=self.cwd,
            env={**self.environ, **extra},
            start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor alone, which stops in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  (no threads here)
            **files,
        )


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_supervisor_pid = os.getpid()


def _die_with_parent() -> None:
    """In the child, before exec: have the kernel end it when a killed supervisor can no longer do so."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != _supervisor_pid:
            os._exit(1)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _ending(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"signal {-status}"


def last_lines(text: str, count: int = 15) -> str:
    """The end of a log, for the console."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-count:])
