"""Every flask command, put on the application where there is somebody to type one: a web process or a worker needs none."""

from __future__ import annotations

from flask import Flask
from flask_migrate import Migrate

from feedback.cli import demo as demo_cli
from feedback.cli import documents as documents_cli
from feedback.cli import intake as intake_cli
from feedback.cli import jobs as jobs_cli
from feedback.cli import people as people_cli
from feedback.cli import reports as reports_cli
from feedback.cli import routes as routes_cli
from feedback.cli import routing as routing_cli
from feedback.cli import search as search_cli
from feedback.cli import sla as sla_cli
from feedback.cli import topics as topics_cli
from feedback.kernel.db import db

COMMANDS = (
    demo_cli.demo_commands,
    demo_cli.setup_commands,
    documents_cli.docs_commands,
    documents_cli.translations_commands,
    intake_cli.tickets_commands,
    jobs_cli.jobs_commands,
    jobs_cli.outbox_commands,
    people_cli.accounts_commands,
    people_cli.tokens_commands,
    people_cli.units_commands,
    reports_cli.audit_commands,
    reports_cli.check_command,
    reports_cli.reports_commands,
    routes_cli.routes_command,
    routing_cli.catalogue_commands,
    routing_cli.routing_commands,
    search_cli.search_commands,
    sla_cli.calendars_commands,
    sla_cli.policies_commands,
    sla_cli.sla_commands,
    topics_cli.topics_commands,
)

migrate = Migrate(directory="migrations", render_as_batch=True, compare_type=True)


def add_commands(app: Flask) -> Flask:
    """Give the application its commands, those of the schema (`flask db`) too."""
    migrate.init_app(app, db)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app
