"""Rows that a database would refuse, so that a judge is tried with what should never be there. SQLite only."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from feedback.kernel.db import Base, db


def plant_twin(model: type[Base], row_id: int) -> None:
    """Put a second row beside this one, equal in all but its id, into a table that has lost its constraints."""
    db.session.rollback()
    table = model.__tablename__
    names = ", ".join(f'"{column.name}"' for column in model.__table__.columns if column.name != "id")
    with closing(sqlite3.connect(str(db.engine.url.database))) as link:
        link.execute(f"CREATE TABLE unbound AS SELECT * FROM {table}")
        link.execute(f"DROP TABLE {table}")
        link.execute(f"ALTER TABLE unbound RENAME TO {table}")
        link.execute(
            f"INSERT INTO {table} (id, {names}) SELECT 1000000 + id, {names} FROM {table} WHERE id = ?", (row_id,)
        )
        link.commit()
