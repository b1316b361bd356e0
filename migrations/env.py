"""How Alembic finds the database and the tables: through the application, on SQLite in batch mode."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from feedback.kernel.db import Instant
from feedback.tickets.search_tables import is_full_text

target = current_app.extensions["migrate"].db


def render_item(kind: str, thing: Any, _autogen: Any) -> str | bool:
    """Write our own column types as plain ones: a migration must not change when the code does."""
    if kind == "type" and isinstance(thing, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave alone what no model describes: the full-text index."""
    return kind not in ("table", "index") or not is_full_text(name)


def run() -> None:
    """Bring the schema to where it should be, in one transaction where the database can."""

    def migrate(connection: Connection) -> None:
        context.configure(
            connection=connection,
            target_metadata=target.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            include_name=include_name,
        )
        with context.begin_transaction():
            context.run_migrations()

    with target.engine.connect() as connection:
        migrate(connection.execution_options(writes=True))


run()
