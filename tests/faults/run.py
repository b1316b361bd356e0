"""Runs faults against the real product: `python -m tests.faults.run --faults F1,F9 --kills 20` (docs/faults.md)."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import create_database
from tests.faults.dose import Dose
from tests.faults.redis_away import redis_away
from tests.faults.scheduler_killed import scheduler_killed, schedulers_asleep
from tests.faults.site import Site, running_site
from tests.faults.together import all_together
from tests.faults.verdict import Verdict
from tests.faults.web_killed import web_killed
from tests.faults.worker_killed import jobs_repeated, workers_killed
from tests.support.postgres import running_cluster

SQLITE = "zhida.db"
FAULTS: dict[str, Callable[[Site, Dose, Verdict], None]] = {
    "F1": web_killed,
    "F2": workers_killed,
    "F3": scheduler_killed,
    "F4": redis_away,
    "F8": schedulers_asleep,
    "F9": jobs_repeated,
    "all": all_together,
}


@contextmanager
def _database(folder: Path, cluster: str) -> Iterator[str]:
    """The URL of an empty database: a file in the folder, or one in the cluster where there is a cluster."""
    if not cluster:
        yield f"sqlite:///{folder / SQLITE}"
        return
    name = f"f_{uuid.uuid4().hex}"
    create_database(cluster, name)
    yield cluster.format(name=name)


def throw(fault: str, dose: Dose, cluster: str = "", template: Path | None = None) -> Verdict:
    """One fault on a fresh instance; `cluster` is the URL (with {name}) of a PostgreSQL, empty for SQLite.

    `template`: an empty SQLite database to begin with a copy of.
    """
    verdict = Verdict(fault, "postgres" if cluster else "sqlite", dose.seed, dose=vars(dose).copy())
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zf-")))
        url = stack.enter_context(_database(folder, cluster))
        if template is not None:
            shutil.copy(template, folder / SQLITE)
        site = stack.enter_context(running_site(folder, url, is_made=template is not None))
        FAULTS[fault](site, dose, verdict)
        verdict.check, verdict.audit = site.is_clean("check"), site.is_clean("audit", "verify")
    verdict.seconds = round(time.monotonic() - began, 1)
    return verdict


def main() -> int:
    """The command; exit code 1 where something did not hold or a run does not count."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--faults", default="F1,F2,F3,F4,F8,F9", help="or: all (F1, F2, F8, F9 on one site)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", action="store_true", help="F1: tickets come with files")
    parser.add_argument("--kinds", default="", help="F4: these kinds alone, such as full,read-only")
    parser.add_argument("--away", type=float, default=8.0, help="F4: seconds of its long outage")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # or what was started here would outlive it
    dose = Dose(
        options.kills,
        options.seed,
        options.size,
        has_files=options.files,
        kinds=tuple(filter(None, options.kinds.split(","))),
        away=options.away,
    )
    verdicts = []
    with ExitStack() as stack:
        cluster = stack.enter_context(running_cluster()) if options.database == "postgres" else ""
        for fault in options.faults.split(","):
            verdicts.append(throw(fault, dose, cluster).as_json())
            sys.stdout.write(json.dumps(verdicts[-1], ensure_ascii=False, indent=1) + "\n")
            sys.stdout.flush()
            if options.out:
                options.out.write_text(json.dumps(verdicts, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if all(verdict["holds"] and verdict["is_counted"] for verdict in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
