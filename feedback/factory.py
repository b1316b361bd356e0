"""The only wiring: settings, database, rooms, doors but for the commands (cli/commands.py). No rule lives here."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import inspect, select

from feedback.api.access import api
from feedback.api.door import init_api
from feedback.confirmation import submitter, verdicts
from feedback.dispatch import assignment, legs, summaries, triage
from feedback.files.storage import open_store
from feedback.handling import extensions, work
from feedback.intake import joining
from feedback.jobs import relay
from feedback.jobs.queues import Queues
from feedback.kernel import clock, keyring, transaction
from feedback.kernel.db import db, prepare_engine
from feedback.people.models import Account
from feedback.settings import Settings, SettingsError
from feedback.supervision import left_behind, unit_tickets, urging
from feedback.web.admin.accounts import account_pages
from feedback.web.admin.category_model import model_pages
from feedback.web.admin.imports import import_pages
from feedback.web.admin.pages import admin_pages
from feedback.web.admin.rules import rule_pages
from feedback.web.admin.settings import setting_pages
from feedback.web.admin.units import unit_pages
from feedback.web.attachments import attachment_pages
from feedback.web.auth import auth
from feedback.web.compression import init_compression
from feedback.web.desk import desk_pages
from feedback.web.dispatcher import dispatch_pages
from feedback.web.frame import csrf, init_frame
from feedback.web.guide import guide_pages
from feedback.web.health import init_health
from feedback.web.kitchen import init_kitchen
from feedback.web.leader import review_pages
from feedback.web.mails import mail_pages
from feedback.web.notices import notice_pages
from feedback.web.password import password_pages
from feedback.web.search import search_pages
from feedback.web.security import init_security
from feedback.web.session import init_sessions
from feedback.web.submitter import submitter_pages
from feedback.web.templating import PageEnvironment
from feedback.web.ticket import ticket_pages
from feedback.web.topics import topic_pages
from feedback.web.turns import init_turns

USE_CASES = (
    assignment,
    extensions,
    joining,
    left_behind,
    legs,
    submitter,
    summaries,
    triage,
    unit_tickets,
    urging,
    verdicts,
    work,
)
"""Modules whose import puts their actions into tickets.actions.ACTIONS."""

PAGES = (
    account_pages,
    admin_pages,
    attachment_pages,
    auth,
    desk_pages,
    dispatch_pages,
    guide_pages,
    import_pages,
    mail_pages,
    notice_pages,
    password_pages,
    review_pages,
    model_pages,
    rule_pages,
    setting_pages,
    search_pages,
    submitter_pages,
    ticket_pages,
    topic_pages,
    unit_pages,
)


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one instance. SettingsError names a setting that is missing or wrong."""
    settings = settings or Settings.from_env()
    app = Flask("feedback", template_folder="../templates", static_folder=None)
    app.jinja_environment = PageEnvironment
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},  # What people wrote must not reach a log by an error.
    )
    keyring.install(settings.secret_key)
    clock.install_timezone(settings.timezone)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        _refuse_demo(settings)
    app.extensions["files"] = open_store(settings.storage_url)
    app.extensions["queues"] = Queues(settings.redis_url)
    transaction.after_commit(relay.kick)
    init_security(app)
    init_compression(app)
    init_sessions(app)
    init_frame(app)
    init_health(app)
    init_api(app)
    csrf.exempt(api)
    init_kitchen(app)
    init_turns(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    return app


def _refuse_demo(settings: Settings) -> None:
    """Production does not start where somebody could sign in with the demo's password, which everybody knows."""
    if settings.is_production and inspect(db.engine).has_table(Account.__tablename__):
        left = db.session().scalar(select(Account.id).where(Account.is_demo, Account.is_active).limit(1))
        db.session.remove()
        if left is not None:
            raise SettingsError(
                "FEEDBACK_ENV", "demo accounts are still active here; production needs a site of its own."
            )
