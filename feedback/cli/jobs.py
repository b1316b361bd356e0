"""`flask outbox drain` and `flask jobs status`: deliver what waits, and say how the background parts are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from feedback.cli.output import print_json
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.notifications.delivery import drain
from feedback.notifications.queries import count_by_state, list_dead, oldest_waiting_at
from feedback.routing.served_model import model_state
from feedback.settings import Settings
from feedback.supervision.heartbeat import is_alive, last_sweep, read_heartbeat

outbox_commands = AppGroup("outbox", help="News that waits to be told.")
jobs_commands = AppGroup("jobs", help="The background parts: queues, failures, scheduler.")


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


@outbox_commands.command("drain")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def drain_command(as_json: bool) -> None:
    """Deliver here and now whatever is due: notices, then mails. Safe beside running workers."""
    drained = drain(now=utc_now(), settings=_settings())
    if as_json:
        print_json(asdict(drained))
    else:
        click.echo(
            f"{drained.events} events told, {drained.sent} mails sent, {drained.failed} mails failed; "
            f"{drained.waiting} still wait, {drained.dead} were given up."
        )


@jobs_commands.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status_command(as_json: bool) -> None:
    """Queues, what waits, what was given up, and when the scheduler and a sweep were last seen."""
    status = job_status()
    if as_json:
        print_json(status)
        return
    scheduler = status["scheduler"]
    click.echo(f"redis: {status['redis']}")
    for name, number in (status["queues"] or {}).items():
        click.echo(f"queue {name}: {number} waiting, {(status['failed_jobs'] or {}).get(name, 0)} failed")
    for what, counted in status["outbox"].items():
        click.echo(f"{what}: {', '.join(f'{number} {state}' for state, number in counted.items()) or 'none'}")
    click.echo(f"eldest waiting event: {status['oldest_waiting_at'] or 'none'}")
    click.echo(f"scheduler last seen: {scheduler['heartbeat_at'] or 'never'}")
    sweep = f"{scheduler['last_sweep_at']} by {scheduler['by']}" if scheduler["last_sweep_at"] else "never"
    click.echo(f"last sweep: {sweep}{'' if scheduler['ok'] else ' (too long ago)'}")
    model = status["category_model"]
    serves = f"version {model['version']}" if model["version"] else "none, keywords alone"
    click.echo(f"category model: {serves}")
    for version, reason in model["refused"].items():
        click.echo(f"category model: version {version} refused: {reason}")
    for letter in status["dead"]:
        click.echo(
            f"given up: {letter['kind']} {letter['id']} {letter['event']} {letter['reference'] or ''} "
            f"after {letter['attempts']} attempts: {letter['error']}"
        )


def job_status() -> dict[str, Any]:
    """Everything that `jobs status` says, as JSON values."""
    session, now, settings = current_session(), utc_now(), _settings()
    queues = current_app.extensions["queues"]
    is_up = queues.is_up()
    beat, heartbeat = last_sweep(session, now), read_heartbeat(settings.instance_dir)
    oldest = oldest_waiting_at(session, now)
    return {
        "redis": "up" if is_up else "away",
        "queues": queues.waiting(),
        "failed_jobs": queues.failed(),
        "outbox": count_by_state(session),
        "oldest_waiting_at": oldest.isoformat() if oldest else None,
        "scheduler": {
            "ok": is_alive(session, now, settings.sweep_seconds),
            "heartbeat_at": heartbeat.isoformat() if heartbeat else None,
            "last_sweep_at": beat.at.isoformat() if beat else None,
            "by": beat.by if beat else None,
        },
        "category_model": _category_model(session),
        "dead": [asdict(letter) for letter in list_dead(session)],
    }


def _category_model(session: Session) -> dict[str, Any]:
    """The version that serves, and those that were to and can't be used, with the reason."""
    state = model_state(session)
    return {"version": state.served.version if state.served else None, "refused": dict(state.refused)}
