"""The checks themselves, on tiny files: each finds the bad example and leaves the good one alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import code_checks, file_checks, import_checks
from tests.architecture.sources import ROOT, Check, Source, read, tracked

LONG = "x = 1\n" * 401

BAD: list[tuple[Check, str, str]] = [
    (import_checks.room_arrows, "feedback/kernel/db.py", "from feedback.settings import Settings"),
    (import_checks.room_arrows, "feedback/sla/clock.py", "import feedback.tickets.models"),
    (import_checks.room_arrows, "feedback/sla/clock.py", "from feedback import tickets"),
    (import_checks.room_arrows, "feedback/intake/usecases.py", "from feedback.dispatch.usecases import assign"),
    (import_checks.room_arrows, "feedback/web/desk.py", "from feedback.api.tickets import show"),
    (import_checks.room_arrows, "feedback/people/usecases.py", "from ..tickets import models"),
    (import_checks.room_arrows, "feedback/people/usecases.py", "def f():\n    import feedback.tickets"),
    (import_checks.room_arrows, "feedback/runner/__main__.py", "from feedback.kernel import clock"),
    (import_checks.room_arrows, "feedback/cli/start.py", "from feedback.runner import supervisor"),
    (import_checks.room_arrows, "feedback/web/desk.py", "import app"),
    (import_checks.room_arrows, "feedback/attic/old.py", "x = 1"),
    (import_checks.room_arrows, "feedback/__init__.py", "from feedback.kernel import db"),
    (import_checks.local_imports, "feedback/sla/clock.py", "def f():\n    import json"),
    (import_checks.local_imports, "feedback/sla/clock.py", "class A:\n    from json import loads"),
    (import_checks.local_imports, "feedback/sla/clock.py", "import importlib\nimportlib.import_module('feedback.x')"),
    (import_checks.door_libraries, "feedback/reading/queries.py", "from flask import request"),
    (import_checks.door_libraries, "feedback/reading/queries.py", "import flask_login"),
    (import_checks.door_libraries, "feedback/tickets/models.py", "from flask_sqlalchemy import SQLAlchemy"),
    (import_checks.door_libraries, "feedback/web/desk.py", "import redis"),
    (import_checks.door_libraries, "feedback/notifications/usecases.py", "from rq.job import Job"),
    (import_checks.door_libraries, "feedback/routing/learned.py", "import numpy as np"),
    (import_checks.door_libraries, "feedback/web/desk.py", "from feedback.routing.training import train"),
    (code_checks.commits, "feedback/intake/usecases.py", "session.commit()"),
    (code_checks.commits, "feedback/intake/usecases.py", "finish = db.session.commit"),
    (code_checks.commits, "feedback/cli/load.py", "with engine.begin() as connection: pass"),
    (code_checks.commits, "feedback/cli/load.py", "engine.execution_options(isolation_level='AUTOCOMMIT')"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "ticket.status = 'resolved'"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "a.ticket.closure_reason = None"),
    (code_checks.status_writes, "feedback/tickets/models.py", "class Ticket:\n  def f(self): self.status = 'closed'"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "setattr(ticket, 'status', 'closed')"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "update(Ticket).values(status='closed')"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "update(Ticket).values({Ticket.status: 'closed'})"),
    (code_checks.status_writes, "feedback/handling/resolve.py", "query.update({'closure_reason': 'joined'})"),
    (code_checks.status_writes, "feedback/intake/submit.py", "Ticket(status='submitted')"),
    (code_checks.status_writes, "feedback/cli/load.py", "text('UPDATE ticket SET version = 2, status = 1')"),
    (code_checks.wall_clocks, "feedback/sla/clock.py", "datetime.utcnow()"),
    (code_checks.wall_clocks, "feedback/kernel/clock.py", "datetime.now()"),
    (code_checks.wall_clocks, "feedback/kernel/clock.py", "datetime.datetime.now(tz=None)"),
    (code_checks.wall_clocks, "feedback/kernel/clock.py", "datetime.fromtimestamp(1)"),
    (code_checks.wall_clocks, "feedback/sla/clock.py", "datetime.now(UTC)"),
    (code_checks.wall_clocks, "feedback/sla/clock.py", "date.today()"),
    (code_checks.wall_clocks, "feedback/sla/clock.py", "time.time()"),
    (code_checks.wall_clocks, "feedback/sla/models.py", "mapped_column(server_default=func.now())"),
    (code_checks.docstrings, "feedback/sla/__init__.py", ""),
    (code_checks.docstrings, "feedback/sla/clock.py", "x = 1"),
    (code_checks.docstrings, "feedback/intake/usecases.py", "'''Writes.'''\ndef submit_ticket(): ..."),
    (
        code_checks.docstrings,
        "feedback/intake/submit.py",
        "'''Writes.'''\nfrom feedback.kernel.transaction import transaction\ndef submit_ticket(): ...",
    ),
    (code_checks.names, "feedback/sla/utils.py", "x = 1"),
    (code_checks.names, "feedback/misc/sla.py", "x = 1"),
    (code_checks.names, "feedback/sla/clock.py", "class ClockManager: ..."),
    (code_checks.names, "feedback/sla/clock.py", "class A:\n    def handle_pause(self): ..."),
    (code_checks.names, "feedback/sla/clock.py", "async def process_alarm(): ..."),
    (code_checks.names, "feedback/sla/clock.py", "def ticket_data(): ..."),
    (code_checks.names, "feedback/sla/clock.py", "class Issue: ..."),
    (code_checks.names, "feedback/sla/clock.py", "class CloseCase: ..."),
    (file_checks.sizes, "feedback/sla/clock.py", LONG),
    (file_checks.sizes, "tests/unit/test_clock.py", LONG),
    (file_checks.sizes, "templates/desk/list.html", "<p>\n" * 251),
    (file_checks.other_hosts, "templates/base.html", '<script src="https://cdn.example/a.js" nonce="x"></script>'),
    (file_checks.other_hosts, "templates/base.html", "<link rel=icon href=//cdn.example/a.png>"),
    (file_checks.other_hosts, "templates/base.html", '<img src="http://{{ host }}/a.png">'),
    (file_checks.other_hosts, "static/site.css", "body { background: url(https://cdn.example/a.png) }"),
    (file_checks.other_hosts, "static/site.css", '@import "//cdn.example/a.css";'),
    (file_checks.other_hosts, "static/site.js", 'fetch("https://cdn.example/a")'),
    (file_checks.inline_code, "templates/base.html", "<script>go()</script>"),
    (file_checks.inline_code, "templates/base.html", "<style>p { color: red }</style>"),
    (file_checks.inline_code, "templates/base.html", '<p\n  style="color: red">'),
    (file_checks.inline_code, "templates/base.html", '<a href="#" title="a > b" onclick="go()">'),
    (file_checks.inline_code, "templates/base.html", "<body {% if a %}onload='go()'{% endif %}>"),
    (file_checks.inline_code, "templates/base.html", '{{ form.text(style="width: 3em") }}'),
    (file_checks.inline_code, "templates/base.html", '{{ form.text(**{"onchange": "go()"}) }}'),
    (file_checks.inline_code, "templates/base.html", '<a href="javascript:go()">'),
    (file_checks.machine_paths, "README.md", "see /" + "work/main/README.md"),
    (file_checks.machine_paths, "README.md", "cd /" + "home/anna/zhida"),
    (file_checks.machine_paths, "start", "cp a /" + "tmp/zhida/b"),
    (file_checks.machine_paths, "README.md", f"cd {ROOT}/docs"),
]

GOOD: list[tuple[Check, str, str]] = [
    (import_checks.room_arrows, "feedback/tickets/models.py", "from feedback.kernel.db import Base\nimport json"),
    (import_checks.room_arrows, "feedback/web/desk.py", "from feedback.settings import Settings"),
    (import_checks.room_arrows, "feedback/reading/queries.py", "from feedback.tickets import models"),
    (import_checks.room_arrows, "feedback/settings.py", "from feedback.settings_file import read"),
    (import_checks.room_arrows, "feedback/runner/parts.py", "from feedback.settings import Settings"),
    (import_checks.room_arrows, "app.py", "from feedback.factory import create_app"),
    (import_checks.local_imports, "feedback/sla/clock.py", "try:\n    import json\nexcept ImportError: pass"),
    (import_checks.door_libraries, "feedback/kernel/db.py", "from flask_sqlalchemy import SQLAlchemy"),
    (import_checks.door_libraries, "feedback/web/desk.py", "from flask import request\nimport flask_login"),
    (import_checks.door_libraries, "feedback/jobs/queue.py", "import rq, redis"),
    (code_checks.commits, "feedback/kernel/transaction.py", "session.commit()"),
    (code_checks.commits, "feedback/intake/usecases.py", "with session.begin_nested(): session.flush()"),
    (code_checks.status_writes, "feedback/tickets/transition.py", "ticket.status = 'resolved'"),
    (code_checks.status_writes, "feedback/api/problems.py", "class A:\n  def f(self, s): self.status = s"),
    (code_checks.status_writes, "feedback/reading/queries.py", "if ticket.status == 'closed': x = dict(status=1)"),
    (code_checks.wall_clocks, "feedback/kernel/clock.py", "datetime.now(UTC)"),
    (code_checks.wall_clocks, "feedback/sla/clock.py", "datetime.fromtimestamp(1, tz=UTC)\ntime.monotonic()"),
    (code_checks.docstrings, "feedback/intake/usecases.py", "'''W.'''\ndef _load(): ...\ndef a():\n  '''Says.'''"),
    (
        code_checks.names,
        "feedback/people/tokens.py",
        "def issue_token(): ...\nclass Metadata: ...\ndef database(): ...",
    ),
    (code_checks.names, "feedback/kernel/db.py", "class A:\n  def process_bind_param(self): ..."),
    (file_checks.sizes, "feedback/sla/clock.py", "x = 1\n" * 400),
    (file_checks.other_hosts, "templates/base.html", '<svg xmlns="http://www.w3.org/2000/svg"><a href="/x//y">'),
    (file_checks.other_hosts, "static/site.js", "// see https://example.org\nfetch('/api/v1/me')"),
    (file_checks.inline_code, "templates/base.html", '<script nonce="{{ nonce() }}">a < b; c.style = 1</script>'),
    (file_checks.inline_code, "templates/base.html", '<script src="/static/a.js" defer></script>{# <script> #}'),
    (file_checks.inline_code, "templates/base.html", '<p title="style=x" data-once="1">{{ f(only=1) }}</p>'),
    (file_checks.machine_paths, "README.md", "GET /api/v1/work/1, ./instance, https://x.example/work/a"),
]


def _name(value: object) -> str:
    return getattr(value, "__name__", "") or str(value)[:40]


@pytest.mark.parametrize(("check", "path", "text"), BAD, ids=_name)
def test_check_finds_the_bad_example(check: Check, path: str, text: str) -> None:
    findings = check([Source(path, text)])
    assert findings
    assert all(path in finding for finding in findings)


@pytest.mark.parametrize(("check", "path", "text"), GOOD, ids=_name)
def test_check_leaves_the_good_example(check: Check, path: str, text: str) -> None:
    assert check([Source(path, text)]) == []


def test_circle_check_finds_circles_within_and_between_rooms() -> None:
    one = Source("feedback/sla/a.py", "from feedback.sla import b")
    two = Source("feedback/sla/b.py", "from feedback.sla.c import thing")
    three = Source("feedback/sla/c.py", "import feedback.sla.a")
    room = Source("feedback/sla/__init__.py", "from feedback.sla.d import thing")
    inside = Source("feedback/sla/d.py", "from feedback.sla import thing")
    assert import_checks.import_circles([one, two, three]) == [
        "circle of imports: feedback.sla.a -> feedback.sla.b -> feedback.sla.c -> feedback.sla.a"
    ]
    assert import_checks.import_circles([room, inside])
    assert import_checks.import_circles([one, two]) == []
    sibling = Source("feedback/sla/d.py", "from feedback.sla import e")
    assert import_checks.import_circles([room, sibling, Source("feedback/sla/e.py", "x = 1")]) == []


def test_every_check_has_a_bad_and_a_good_example() -> None:
    assert {check for check, _path, _text in BAD} == {check for check, _path, _text in GOOD}


def test_reading_skips_foreign_folders_and_bytes(tmp_path: Path) -> None:
    for name in ("feedback/a.py", ".venv/b.py", "instance/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1")
    (tmp_path / "feedback" / "d.bin").write_bytes(b"\xff\xfe\x00")
    assert [file.path for file in read("**/*", root=tmp_path)] == ["feedback/a.py"]
    assert [file.path for file in tracked(tmp_path)] == ["feedback/a.py"]
