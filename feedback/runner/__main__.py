"""What ./start runs: prepares an instance, starts its parts, says where it answers, and stops all of it in order.

Exit codes: 0 stopped as asked or check passed, 1 something failed, 2 a wrong option or setting,
3 the instance already runs, 4 the port is in use.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from feedback.runner import instance as instances
from feedback.runner import redis_server
from feedback.runner.check import CheckFailed, run_check
from feedback.runner.instance import AlreadyRunning, Instance
from feedback.runner.parts import flask_order, redis_part, site_part
from feedback.runner.redis_server import NoServer
from feedback.runner.supervise import GaveUp, Stopped, Supervisor
from feedback.settings import ROOT, Settings, SettingsError, instance_dir_of
from feedback.settings_file import FileError

READY_SECONDS = 90
LEFTOVER_SECONDS = 15


class PortInUse(Exception):
    """Another program listens where this instance should."""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one instance until it is told to stop; answers the exit code."""
    options = _options(argv)
    os.umask(0o077)
    try:
        return _start(options, environ)
    except AlreadyRunning as refusal:
        return _refuse(str(refusal), 3)
    except PortInUse as refusal:
        return _refuse(str(refusal), 4)
    except (SettingsError, FileError) as refusal:
        return _refuse(f"Not started. {refusal}", 2)
    except (GaveUp, NoServer, CheckFailed) as failure:
        return _refuse(str(failure), 1)
    except OSError as failure:
        return _refuse(f"Not started. {failure}", 1)
    except (Stopped, KeyboardInterrupt):
        return 1 if options.check else 0


def _start(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    began = time.monotonic()
    instance = instances.open_instance(_instance_dir(options, environ))
    port = _port(options, instance)
    environ = _cleaned(environ, instance)
    own_redis = None
    left_over = redis_server.own_url(instance.path)
    if instances.wants_own_redis(instance, environ, left_over):
        redis_server.end_leftover(left_over)
        own_redis = redis_server.prepare(instance.path)
    settings, kept = instances.choose_settings(
        instance, environ, port=port, own_redis_url=own_redis.url if own_redis else ""
    )
    if options.check and settings.is_production:
        raise SettingsError("--check", "leaves a ticket behind, so it is not for production; check a fresh instance.")
    instances.keep_settings(instance, kept)
    instance.tell_lock(settings.base_url)
    for notice in settings.notices:
        say(notice)
    supervisor = Supervisor(log_dir=instance.log_dir, cwd=ROOT, environ=environ, say=say)
    supervisor.catch_signals()
    try:
        if own_redis is not None:
            supervisor.start(redis_part(own_redis))
            _await_redis(supervisor, own_redis.url)
        with_demo = not options.no_demo and not settings.is_production
        _prepare_database(supervisor, instance, settings, with_demo=with_demo)
        supervisor.start(site_part(options.host, port, instance.log_dir, instance.path / "run" / "metrics"))
        _await_ready(supervisor, options.host, port)
        say(f"Zhida answers at {settings.base_url} (ready after {time.monotonic() - began:.1f} s)")
        if options.check:
            run_check(supervisor, _own_address(options.host, port), instance.path / "run", say=say)
            return 0
        if not settings.is_production:
            _tell_sign_ins(supervisor)
            _tell_missing_years(supervisor)
        say(f"Instance: {instance.path}   Logs: {instance.log_dir}   Ctrl-C stops it.")
        supervisor.watch()
        return 0
    finally:
        say("Stopping …")
        supervisor.stop()
        instance.release()
        say("Stopped.")


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./start", description="Start Zhida on this machine.")
    parser.add_argument("--port", type=int, default=None, metavar="N", help="port of the web server (8000)")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add_argument("--instance", type=Path, default=None, metavar="DIR", help="folder of all data (./instance)")
    parser.add_argument("--no-demo", action="store_true", help="no demo county on the first run")
    parser.add_argument("--check", action="store_true", help="start, take one ticket round the loop, stop")
    options = parser.parse_args(argv)
    if options.port is not None and not 1 <= options.port <= 65535:
        parser.error("--port must be a number from 1 to 65535")
    return options


def _instance_dir(options: argparse.Namespace, environ: Mapping[str, str]) -> Path:
    if options.instance is not None:
        return Path(options.instance).expanduser().absolute()
    return instance_dir_of(environ)


def _port(options: argparse.Namespace, instance: Instance) -> int:
    """The port asked for, once it is free: what a killed start left behind gets a moment to go away."""
    if options.check and options.port is None:
        return instances.free_port(options.host)
    port = options.port or 8000
    until = time.monotonic()
    if instance.was_killed and not instances.is_port_free(options.host, port):
        say(f"The last run was killed; waiting for port {port} …")
        until += LEFTOVER_SECONDS
    while not instances.is_port_free(options.host, port):
        if time.monotonic() >= until:
            raise PortInUse(f"Port {port} is in use by another program. Choose another one: ./start --port N")
        time.sleep(0.2)
    return port


def _cleaned(environ: Mapping[str, str], instance: Instance) -> dict[str, str]:
    """The environment of all children: this instance's, and without what only ./start itself needed."""
    dropped = ("PYTHONPATH", "PORT", "FLASK_APP", "FLASK_RUN_PORT")
    kept = {name: value for name, value in environ.items() if name not in dropped}
    return kept | {"INSTANCE_DIR": str(instance.path), "PYTHONUNBUFFERED": "1"}


def _await_redis(supervisor: Supervisor, url: str) -> None:
    until = time.monotonic() + 30
    while not redis_server.answers(url):
        if time.monotonic() > until or supervisor.failures().get("redis", 0) > 2:
            raise GaveUp(f"The Redis-compatible server does not start; see {supervisor.log_dir / 'redis.log'}")
        supervisor.pause(0.05)


def _prepare_database(supervisor: Supervisor, instance: Instance, settings: Settings, *, with_demo: bool) -> None:
    supervisor.order("flask db upgrade", flask_order("db", "upgrade"))
    first = not instances.is_done(instance, "defaults", settings.database_url)
    if not first:
        return
    say("First start: policies, calendar and danger words …")
    supervisor.order("flask setup defaults", flask_order("setup", "defaults"))
    if with_demo:
        say("First start: the demo county …")
        supervisor.order("flask demo load", flask_order("demo", "load"))
    instances.set_done(instance, "defaults", settings.database_url)


def _await_ready(supervisor: Supervisor, host: str, port: int) -> None:
    address = f"{_own_address(host, port)}/readyz"
    until = time.monotonic() + READY_SECONDS
    answer = "nothing yet"
    while time.monotonic() < until:
        supervisor.pause(0.1)
        try:
            with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310  (our own http address)
                response.read()
            return
        except urllib.error.HTTPError as error:
            answer = error.read().decode(errors="replace")[:300]
        except OSError as error:
            answer = str(error)
        failing = [name for name, count in supervisor.failures().items() if count >= 5]
        if failing:
            raise GaveUp(f"{', '.join(failing)} keeps ending; see {supervisor.log_dir}")
    raise GaveUp(f"Not ready after {READY_SECONDS} s: {answer}\nSee {supervisor.log_dir}")


def _own_address(host: str, port: int) -> str:
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reached}:{port}"


def _tell_sign_ins(supervisor: Supervisor) -> None:
    try:
        accounts = json.loads(supervisor.order("flask demo accounts", flask_order("demo", "accounts", "--json")))
    except (GaveUp, ValueError) as failure:
        say(f"The demo sign-ins cannot be listed: {failure}")
        return
    if not accounts:
        return
    say("Demo sign-ins, one for each role (all of them: flask demo accounts):")
    told: set[str] = set()
    for account in accounts:
        if account["role"] not in told:
            told.add(account["role"])
            say(f"  {account['role']:<12} {account['login']:<24} {account['password']}   {account['unit']}")


def _tell_missing_years(supervisor: Supervisor) -> None:
    """Warn loudly where deadlines count plain weekdays because a year's official notice is missing."""
    try:
        told = supervisor.order("flask calendars years", flask_order("calendars", "years"))
    except GaveUp as failure:
        say(f"The calendars cannot be looked at: {failure}")
        return
    for line in told.splitlines():
        say(f"WARNING: {line}")


def _refuse(message: str, code: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return code


def say(line: str) -> None:
    """One line for whoever sits before the console, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
