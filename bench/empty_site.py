"""An empty site to measure on: tables and the site's defaults in a folder of its own, on the database that is named."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flask import Flask

from feedback.demo.defaults import install_site_defaults
from feedback.factory import create_app
from feedback.kernel.db import Base, db
from feedback.settings import Settings


def empty_site(folder: Path, database_url: str, *, since: datetime) -> Flask:
    """The application of a fresh site whose policies and calendar hold since then; nothing is put into a queue."""
    settings = Settings.from_env(
        {
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": "only-to-measure-0123456789abcdef0123456789",
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "BASE_URL": "http://127.0.0.1:8000",
            "INSTANCE_DIR": str(folder),
        }
    )
    app = create_app(settings)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        install_site_defaults(now=since)
    return app
