"""What ./start runs beside Redis: worker, scheduler and web as one family, forked from this process, which loads the program once.

So they hold it in memory once, and one that dies is there again at once. On several machines each part is started by itself
(worker.py, gunicorn serve:app); then nothing of this is used.
"""

# ruff: noqa: E402

from __future__ import annotations

import argparse
import gc

gc.disable()  # while the program is loaded, all of which stays

import logging
import sys
from pathlib import Path

from flask import Flask
from gunicorn.app.wsgiapp import WSGIApplication

from feedback.factory import create_app
from feedback.jobs.scheduler import Scheduler
from feedback.jobs.workers import run_workers
from feedback.kernel.db import db
from feedback.runner.gunicorn_hooks import COLLECT_AFTER
from feedback.runner.parts import SCHEDULER_PATIENCE, WEB_PATIENCE, WORKER_PATIENCE
from feedback.runner.supervise import Part, Supervisor
from feedback.settings import ROOT, SettingsError


class _Web(WSGIApplication):  # type: ignore[misc, unused-ignore]
    """gunicorn with the application that is loaded already."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        super().__init__("family.py [OPTIONS] [APP_MODULE]")  # type: ignore[no-untyped-call, unused-ignore]

    def load(self) -> Flask:
        return self._app


def main(argv: list[str]) -> int:
    """Keep the three parts running until SIGTERM; 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="family.py", description="Worker, scheduler and web of one machine.")
    parser.add_argument("--logs", type=Path, required=True)
    options, of_gunicorn = parser.parse_known_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app = create_app()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with app.app_context():
        db.engine.dispose()  # a connection must not be shared by those that are forked
    gc.freeze()  # what was loaded stays for good: its memory stays shared, and nobody looks through it again
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
    supervisor = Supervisor(log_dir=options.logs, cwd=ROOT, environ={}, say=_say)
    supervisor.catch_signals()
    try:
        for part in _parts(app, of_gunicorn):
            supervisor.start(part)
        supervisor.watch()
    finally:
        supervisor.stop()
    return 0


def _parts(app: Flask, of_gunicorn: list[str]) -> list[Part]:
    def schedule() -> int:
        scheduler = Scheduler(app)
        scheduler.catch_signals()
        return scheduler.run()

    def serve() -> int:
        sys.argv = ["gunicorn", *of_gunicorn]
        _Web(app).run()
        return 0

    return [
        Part("worker", (), patience=WORKER_PATIENCE, run=lambda: run_workers(app)),
        Part("scheduler", (), patience=SCHEDULER_PATIENCE, run=schedule),
        Part("web", (), patience=WEB_PATIENCE, run=serve),
    ]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
