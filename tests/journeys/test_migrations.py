"""Migrations against the models, up and down, on both databases; and the audit trail that can't be changed."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from feedback.cli.commands import add_commands
from feedback.factory import create_app
from feedback.kernel import audit
from feedback.kernel.db import Base, db
from feedback.kernel.transaction import transaction
from feedback.tickets.search_tables import is_full_text
from tests.conftest import create_database, make_settings
from tests.support.county import START

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = str(ROOT / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    """An application on a database without any table."""
    if request.param == "sqlite":
        return add_commands(create_app(make_settings(tmp_path, f"sqlite:///{tmp_path / 'empty.db'}")))
    url: str = request.getfixturevalue("postgres_url")
    name = f"m_{uuid.uuid4().hex}"
    create_database(url, name)
    return add_commands(create_app(make_settings(tmp_path, url.format(name=name))))


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a model describes it: all but the full-text index."""
    return kind not in ("table", "index") or not is_full_text(name)


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_described})
        return list(compare_metadata(context, Base.metadata))


def test_migrations_make_exactly_the_models_and_unmake_them(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade(MIGRATIONS)
        assert differences() == []
        downgrade(MIGRATIONS, revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade(MIGRATIONS)
        assert differences() == []
        db.engine.dispose()


def noticing() -> set[str]:
    """The triggers that notice changes of what processes keep."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    query = "name FROM sqlite_master WHERE type = 'trigger'" if is_sqlite else "tgname FROM pg_trigger"
    with db.engine.connect() as connection:
        return {name for name in connection.scalars(text(f"SELECT {query}")) if name.endswith("_noticed")}


def test_migrated_tables_are_watched_as_the_models_say(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade(MIGRATIONS)
        migrated = noticing()
        downgrade(MIGRATIONS, revision="base")
        assert noticing() == set()
        Base.metadata.create_all(db.engine)
        assert noticing() == migrated != set()
        db.engine.dispose()


def test_database_refuses_to_change_or_delete_audit_rows(empty_app: Flask) -> None:
    with empty_app.app_context():
        upgrade(MIGRATIONS)
        with transaction() as session:
            audit.record(session, "settings", actor="system", action="try", now=START)
            audit.add_checkpoint(session, now=START)
        statements = ["UPDATE audit_entry SET action = 'other'", "DELETE FROM audit_entry"]
        statements += ["UPDATE audit_checkpoint SET mac = ''", "DELETE FROM audit_checkpoint"]
        if db.engine.dialect.name == "postgresql":
            statements += ["TRUNCATE audit_entry", "TRUNCATE audit_checkpoint"]
        for statement in statements:
            with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
                connection.execute(text(statement))
        assert audit.count_entries(db.session()) == 1
        db.session.remove()
        db.engine.dispose()
