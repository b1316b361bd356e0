"""A supervisor with stand-in parts, run as a process of its own: python supervised.py FOLDER.

Each part writes its process id to FOLDER/NAME.pid when it starts and a line to FOLDER/ends when it is told to stop.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from feedback.runner import redis_server
from feedback.runner.parts import redis_part
from feedback.runner.supervise import Part, Supervisor

STAND_IN = """
import os, pathlib, signal, subprocess, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def end(*_):
    with (folder / "ends").open("a") as ends:
        ends.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "deaf" else end)
helper = subprocess.Popen(["sleep", "600"])
fresh = folder / (name + ".new")
fresh.write_text(f"{os.getpid()} {helper.pid}")
fresh.rename(folder / (name + ".pid"))
while True:
    time.sleep(0.05)
"""


def stand_in(folder: Path, name: str, patience: float = 5.0) -> Part:
    """A part that does nothing but live, with one process of its own beside it."""
    return Part(name, (sys.executable, "-c", STAND_IN, str(folder), name), patience=patience)


def say(line: str) -> None:
    """One line on the console, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(folder: Path, names: list[str]) -> None:
    """Keep Redis and the named stand-ins until a signal comes."""
    supervisor = Supervisor(log_dir=folder, cwd=folder, environ=dict(os.environ), say=say, first_wait=0.1)
    supervisor.catch_signals()
    server = redis_server.prepare(folder)
    try:
        supervisor.start(redis_part(server))
        for name in names:
            supervisor.start(stand_in(folder, name, patience=0.3 if name == "deaf" else 5.0))
        supervisor.watch()
    finally:
        supervisor.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what `nohup` passes on is undone: this one was started in a terminal
    run(Path(sys.argv[1]), sys.argv[2:])
