"""For machines that watch this one: /healthz (it runs), /readyz (what it leans on), /metrics (for Prometheus, not public)."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from feedback.kernel.access import require
from feedback.kernel.clock import utc_now
from feedback.kernel.db import session as current_session
from feedback.notifications.queries import count_by_state, oldest_waiting_at
from feedback.people.tokens import find_token
from feedback.settings import Settings
from feedback.supervision.heartbeat import Beat, alarm_lag, is_alive, last_sweep
from feedback.tickets.models import Ticket

health = Blueprint("health", __name__)

OWN = CollectorRegistry()
REQUESTS = Counter("zhida_requests", "Requests answered.", ["method", "endpoint", "status"], registry=OWN)
SECONDS = Histogram("zhida_request_seconds", "Seconds from request to answer.", ["endpoint"], registry=OWN)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
UP, DOWN, AWAY = "up", "down", "away"


@health.get("/healthz")
@require("anyone")
def healthz() -> Response:
    """The process answers. It looks at nothing else, so that an outage elsewhere gets no web process killed."""
    return jsonify({"status": "alive"})


@health.get("/readyz")
@require("anyone")
def readyz() -> tuple[Response, int]:
    """Whether database, Redis and scheduler are there, each by name; 503 where one is not."""
    now = utc_now()
    settings: Settings = current_app.config["SETTINGS"]
    database, beat, is_sweeping = UP, None, False
    try:
        beat = last_sweep(current_session(), now)
        is_sweeping = is_alive(current_session(), now, settings.sweep_seconds)
    except SQLAlchemyError:
        database = DOWN
    redis = UP if current_app.extensions["queues"].is_up() else AWAY
    told = {"database": database, "redis": redis, "scheduler": _scheduler(beat, is_ok=is_sweeping)}
    is_ready = database == UP and redis == UP and is_sweeping
    return jsonify({"status": "ready" if is_ready else "not ready", **told}), 200 if is_ready else 503


def _scheduler(beat: Beat | None, *, is_ok: bool) -> dict[str, Any]:
    return {"ok": is_ok, "last_sweep_at": beat.at.isoformat() if beat else None, "by": beat.by if beat else None}


@health.get("/metrics")
@require("anyone")
def metrics() -> Response:
    """Figures for Prometheus: to nameless callers on this machine, or with an admin's API token. 404 to everybody else.

    Whoever shows a token or a cookie is somebody, and is judged by that alone, wherever they call from.
    """
    is_nameless = "Authorization" not in request.headers and not request.cookies
    if not (_has_admin_token() or (is_nameless and _is_from_here())):
        abort(404)
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        answer = generate_latest(registry)
    else:
        answer = generate_latest(OWN)
    site = CollectorRegistry()
    site.register(_Site(current_session(), utc_now()))
    return Response(answer + generate_latest(site), content_type=CONTENT_TYPE_LATEST)


def _is_from_here() -> bool:
    """A caller on this machine, and not a proxy on it that speaks for somebody elsewhere."""
    settings: Settings = current_app.config["SETTINGS"]
    is_relayed = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    if is_relayed and not settings.trusted_proxies:
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _has_admin_token() -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return False
    owner = find_token(current_session(), token.strip(), utc_now())
    return owner is not None and "admin" in owner.scopes


class _Site(Collector):
    """Figures read from the database when they are asked for: the same from whichever process answers."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session, self.now = session, now

    def collect(self) -> Iterator[Metric]:
        yield from self._undelivered()
        tickets = GaugeMetricFamily("zhida_tickets", "Tickets by status.", labels=["status"])
        for status, number in self.session.execute(select(Ticket.status, func.count()).group_by(Ticket.status)):
            tickets.add_metric([status], number)
        yield tickets
        beat = last_sweep(self.session, self.now)
        if beat:
            age = (self.now - beat.at).total_seconds()
            yield GaugeMetricFamily("zhida_sweep_age_seconds", "Seconds since a sweep finished.", value=age)
        lag = alarm_lag(self.session, self.now)
        late = lag.largest.total_seconds()
        yield GaugeMetricFamily("zhida_alarm_lag_seconds", "Largest lag of an hour, from due to fired.", value=late)
        waits = (self.now - lag.waiting_since).total_seconds() if lag.waiting_since else 0.0
        yield GaugeMetricFamily("zhida_alarm_waiting_seconds", "Seconds the eldest due alarm has waited.", value=waits)

    def _undelivered(self) -> Iterator[Metric]:
        outbox = GaugeMetricFamily("zhida_outbox", "Events and messages by state.", labels=["what", "state"])
        for what, counted in count_by_state(self.session).items():
            for state, number in counted.items():
                outbox.add_metric([what, state], number)
        yield outbox
        oldest = oldest_waiting_at(self.session, self.now)
        waits = (self.now - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily("zhida_outbox_oldest_seconds", "Seconds the eldest event has waited.", value=waits)


def init_health(app: Flask) -> None:
    """Register the routes, and count and time every request."""
    app.register_blueprint(health)

    @app.before_request
    def _begin() -> None:
        g.began = time.monotonic()

    @app.after_request
    def _count(response: Response) -> Response:
        endpoint = request.endpoint or "none"
        method = request.method if request.method in METHODS else "OTHER"
        REQUESTS.labels(method, endpoint, str(response.status_code)).inc()
        if "began" in g:
            SECONDS.labels(endpoint).observe(time.monotonic() - g.began)
        return response
