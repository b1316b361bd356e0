"""RQ door: `python worker.py worker` empties the queues, `python worker.py scheduler` keeps time. Each runs until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import sys

from feedback.factory import create_app
from feedback.jobs.scheduler import Scheduler
from feedback.jobs.workers import run_workers
from feedback.settings import SettingsError


def main(argv: list[str]) -> int:
    """Run the part named on the command line; 2 where a setting is wrong."""
    parser = argparse.ArgumentParser(prog="worker.py", description="Background parts of Zhida.")
    parser.add_argument("part", choices=("worker", "scheduler"))
    part = parser.parse_args(argv).part
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app = create_app()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if part == "worker":
        return run_workers(app)
    scheduler = Scheduler(app)
    scheduler.catch_signals()
    return scheduler.run()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
