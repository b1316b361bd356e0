"""The whole bench in one command: seeds, serves, measures beside a bare Flask page in the same rounds, prints and writes JSON.

`.venv/bin/python -m bench.run --tickets 10000 --database sqlite --rounds 3 --out FILE.json`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import load, servers
from bench.targets import Measured, measured, own_references, resolving
from feedback.factory import create_app
from feedback.kernel.db import db
from feedback.kernel.db import session as current_session
from feedback.runner.instance import free_port
from feedback.settings import ROOT, Settings

KEY = "only-for-the-bench-0123456789abcdef0123456789abcdef"
BARE_SECONDS = 1.5
CONNECTIONS = (1, 8)


def main() -> None:
    """The command."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    folder = options.folder or Path(tempfile.mkdtemp(prefix="zhida-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    out: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpus": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "tickets": options.tickets,
        "database": options.database,
        "rounds": options.rounds,
        "seconds_each": options.seconds,
    }
    try:
        with ExitStack() as stack:
            environ = _environ(options, folder, stack)
            out["seed"] = _seeded(options, environ, folder)
            environ["REDIS_URL"] = stack.enter_context(servers.redis(environ, folder))
            bare = stack.enter_context(servers.bare_page(environ, folder))
            _measure_web(options, environ, folder, bare, out)
            _keep(options, out)
            if not options.only:
                out["sweep"] = _measure_sweep(environ, options.due)
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    out["load_after"] = os.getloadavg()[0]
    if options.against:
        _compare(out, json.loads(options.against.read_text(encoding="utf-8")))
    _keep(options, out)
    print("\n".join(table(out)))


def _keep(options: argparse.Namespace, out: dict[str, Any]) -> None:
    if options.out:
        options.out.write_text(json.dumps(out, indent=1, ensure_ascii=False), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--due", type=int, default=10_000, help="tickets due at once in the measure of the sweep")
    parser.add_argument("--folder", type=Path, help="keep the database here, and use it again if it is there")
    parser.add_argument("--only", help="names of what to measure, comma separated")
    parser.add_argument("--against", type=Path, help="JSON of a smaller size, to say the growth")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.folder:
        options.folder = options.folder.absolute()
    return options


def _environ(options: argparse.Namespace, folder: Path, stack: ExitStack) -> dict[str, str]:
    url = f"sqlite:///{folder / 'zhida.db'}"
    if options.database == "postgres":
        url = stack.enter_context(servers.postgres(folder))
    environ = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    }
    return environ | {
        "FEEDBACK_ENV": "development",
        "SECRET_KEY": KEY,
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "INSTANCE_DIR": str(folder),
        "PYTHONUNBUFFERED": "1",
    }


def _seeded(options: argparse.Namespace, environ: Mapping[str, str], folder: Path) -> dict[str, Any]:
    _order(environ, "-m", "flask", "db", "upgrade")
    mark = folder / "seeded.json"
    if mark.exists():
        kept: dict[str, Any] = json.loads(mark.read_text(encoding="utf-8"))
        return kept
    _say(f"seeding {options.tickets} tickets …")
    told = _order(environ, "-m", "bench.seed", "--tickets", str(options.tickets))
    mark.write_text(told, encoding="utf-8")
    seeded: dict[str, Any] = json.loads(told)
    return seeded


def _order(environ: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=dict(environ), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def _web(environ: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int, float]]:
    """Address and process of our site, and the seconds from its start to its first page."""
    port = free_port(servers.HOST)
    argv, more = servers.our_site(port, folder)
    base = f"http://{servers.HOST}:{port}"
    began = time.monotonic()
    with servers.running(argv, {**environ, **more, "BASE_URL": base}, folder / "site.log") as pid:
        servers.await_page(f"{base}/sign-in")
        yield base, pid, round(time.monotonic() - began, 2)


def _measure_web(
    options: argparse.Namespace, environ: Mapping[str, str], folder: Path, bare: str, out: dict[str, Any]
) -> None:
    starts = []
    for _ in range(0 if options.only else 2):
        with _web(environ, folder) as (_base, _pid, seconds):
            starts.append(seconds)
    with ExitStack() as stack:
        base, site, seconds = stack.enter_context(_web(environ, folder))
        out["start_seconds"] = sorted([*starts, seconds])
        time.sleep(3)
        asyncio.run(_warm(base, bare))
        out["memory_mib"] = {"before": servers.memory_of(site)}
        app = create_app(Settings.from_env(dict(environ)))
        with app.app_context():
            out["results"] = asyncio.run(_rounds(options, base, bare))
            current_session().close()
            db.engine.dispose()  # the seeding of what is due wants the database to itself
        out["memory_mib"]["after"] = servers.memory_of(site)


async def _warm(base: str, bare: str) -> None:
    await load.run({"url": bare}, 8, 0.5, {})
    await load.run({"url": f"{base}/sign-in"}, 8, 0.5, {})


async def _rounds(options: argparse.Namespace, base: str, bare: str) -> list[dict[str, Any]]:
    session = current_session()
    own = own_references(session)
    runs: dict[tuple[str, int], list[dict[str, Any]]] = {}
    aims: dict[str, Measured] = {}
    department = 2
    for number in range(options.rounds):
        for connections in CONNECTIONS:
            each = [*measured(base), resolving(base, session, department)]
            department = department % 20 + 1
            for one in each:
                if (one.connections or connections) != connections or not _wanted(one.name, options.only):
                    continue
                aims[one.name] = one
                twin = await load.run({"url": bare}, 8, BARE_SECONDS, {})
                held = {"own": own, "todo": one.target.get("vars", [])}
                told = await load.run(one.target, connections, options.seconds, held)
                told["bare_rps"], told["x_bare"] = twin["rps"], told["rps"] / twin["rps"]
                runs.setdefault((one.name, connections), []).append(told)
                _say(
                    f"[{number}] {one.name} c={connections} {told['rps']} req/s x{told['x_bare']:.3f} "
                    f"p50 {told.get('p50_ms')} p95 {told.get('p95_ms')} errors {told['errors']} {told.get('first_error', '')[:120]}"
                )
    return [_summary(name, connections, found, aims[name]) for (name, connections), found in runs.items()]


def _wanted(name: str, only: str | None) -> bool:
    return not only or any(name.startswith(word.strip()) for word in only.split(","))


def _summary(name: str, connections: int, runs: list[dict[str, Any]], one: Measured) -> dict[str, Any]:
    counts = one.connections or CONNECTIONS[-1]
    return {
        "name": name,
        "connections": connections,
        "x_bare": round(statistics.median(run["x_bare"] for run in runs), 4),
        "x_bare_of_rounds": [round(run["x_bare"], 4) for run in runs],
        "aim": one.aim if counts == connections else None,
        "rps": round(statistics.median(run["rps"] for run in runs), 1),
        "bare_rps": round(statistics.median(run["bare_rps"] for run in runs), 1),
        "p50_ms": round(statistics.median(run.get("p50_ms", 0) for run in runs), 1),
        "p95_ms": round(statistics.median(run.get("p95_ms", 0) for run in runs), 1),
        "bytes": runs[-1]["bytes_avg"],
        "ok": sum(run["ok"] for run in runs),
        "errors": sum(run["errors"] for run in runs),
        "first_error": next((run["first_error"] for run in runs if "first_error" in run), None),
    }


def _measure_sweep(environ: Mapping[str, str], due: int) -> dict[str, Any]:
    _say("sweep …")
    told = {"idle": json.loads(_order(environ, "-m", "bench.sweep", "--idle", "30"))}
    _order(environ, "-m", "bench.seed", "--due", str(due))
    told["due"] = json.loads(_order(environ, "-m", "bench.sweep", "--due"))
    return told


def _compare(out: dict[str, Any], smaller: dict[str, Any]) -> None:
    """Growth: how many times longer a request takes than at the smaller size, both told by their bare pages."""
    before = {(row["name"], row["connections"]): row["x_bare"] for row in smaller["results"]}
    out["against"] = smaller["tickets"]
    for row in out["results"]:
        earlier = before.get((row["name"], row["connections"]))
        if earlier and row["x_bare"]:
            row["growth"] = round(earlier / row["x_bare"], 2)


def table(out: dict[str, Any]) -> Iterator[str]:
    """The figures as lines of a Markdown table."""
    yield f"{out['tickets']} tickets, {out['database']}; load before {out['load_before']:.1f}, after {out['load_after']:.1f}"
    yield "| what | c | req/s | bare | x bare | aim | p50 ms | p95 ms | growth | errors |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in out["results"]:
        yield (
            f"| {row['name']} | {row['connections']} | {row['rps']} | {row['bare_rps']} | {row['x_bare']:.3f} | "
            f"{row['aim'] or ''} | {row['p50_ms']} | {row['p95_ms']} | {row.get('growth', '')} | {row['errors']} |"
        )
    yield f"start to first page: {out['start_seconds']} s; memory (PSS, MiB): {out['memory_mib']}"
    yield f"seed: {out['seed']}"
    yield f"sweep: {out.get('sweep')}"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
