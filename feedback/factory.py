"""The only wiring: settings, database, rooms, doors. No rule lives here."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate

from feedback.cli import routing as routing_cli
from feedback.kernel import clock, keyring
from feedback.kernel.db import db, prepare_engine
from feedback.settings import Settings

migrate = Migrate(directory="migrations", render_as_batch=True, compare_type=True)


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one instance. SettingsError names a setting that is missing or wrong."""
    settings = settings or Settings.from_env()
    app = Flask("feedback", template_folder="../templates", static_folder="../static")
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
    )
    keyring.install(settings.secret_key)
    clock.install_timezone(settings.timezone)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db)
    app.cli.add_command(routing_cli.catalogue_commands)
    app.cli.add_command(routing_cli.routing_commands)
    return app
