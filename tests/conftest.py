"""Fixtures that all tests share: an application on a real SQLite file or a real PostgreSQL, and the small county."""

from __future__ import annotations

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.orm import Session

from feedback.cli.commands import add_commands
from feedback.factory import create_app
from feedback.kernel.db import Base, db
from feedback.settings import Settings
from tests.support.county import County, build_county
from tests.support.postgres import running_cluster
from tests.support.setup import install_defaults

KEY = "only-for-tests-0123456789abcdef0123456789abcdef"


def make_settings(folder: Path, database_url: str, **more: str) -> Settings:
    """Settings of a testing instance in `folder`."""
    return Settings.from_env(
        {
            "FEEDBACK_ENV": "testing",
            "SECRET_KEY": KEY,
            "DATABASE_URL": database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "BASE_URL": "http://127.0.0.1:8000",
            "INSTANCE_DIR": str(folder),
            **more,
        }
    )


def _fill(settings: Settings) -> None:
    app = add_commands(create_app(settings))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        install_defaults()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def _what_is_imported_stays() -> None:
    """What lives as long as the process need not be looked at again by each collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and the site's defaults, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    path = folder / "zhida.db"
    _fill(make_settings(folder, f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL (with {name}) of a running cluster that has a database `template_zhida` with schema and defaults."""
    try:
        cluster = running_cluster()
        url = cluster.__enter__()
    except Exception as error:
        if os.environ.get("POSTGRES_REQUIRED"):
            raise
        pytest.skip(f"no PostgreSQL to test with: {error}")
    create_database(url, "template_zhida")
    _fill(make_settings(tmp_path_factory.mktemp("pg"), url.format(name="template_zhida")))
    yield url
    cluster.__exit__(None, None, None)


def create_database(url: str, name: str, template: str | None = None) -> None:
    """Make a database in the cluster, as a copy of `template` where one is named."""
    plain = url.format(name="postgres").replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))  # type: ignore[call-overload, arg-type, unused-ignore]


@pytest.fixture
def sqlite_app(sqlite_template: Path, tmp_path: Path) -> Iterator[Flask]:
    """An application on a fresh SQLite file."""
    path = tmp_path / "zhida.db"
    shutil.copy(sqlite_template, path)
    yield from _running(make_settings(tmp_path, f"sqlite:///{path}"))


@pytest.fixture
def postgres_app(postgres_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application on a fresh PostgreSQL database."""
    name = f"t_{uuid.uuid4().hex}"
    create_database(postgres_url, name, "template_zhida")
    yield from _running(make_settings(tmp_path, postgres_url.format(name=name)))


class CompiledTemplates(BytecodeCache):
    """Templates compiled once for all tests of this process: each test has an application of its own."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


_compiled = CompiledTemplates()


def _running(settings: Settings) -> Iterator[Flask]:
    app = add_commands(create_app(settings))
    app.jinja_env.bytecode_cache = _compiled
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(sqlite_app: Flask) -> Flask:
    """The application most tests use: on SQLite, with an application context pushed."""
    return sqlite_app


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_app(request: pytest.FixtureRequest) -> Flask:
    """The application on each database in turn: for use-cases that must hold on both."""
    found: Flask = request.getfixturevalue(f"{request.param}_app")
    return found


@pytest.fixture
def session(app: Flask) -> Session:
    return db.session()


@pytest.fixture
def county(app: Flask) -> County:
    """The small county in the SQLite application."""
    return build_county(db.session())


@pytest.fixture
def any_county(any_app: Flask) -> County:
    """The small county on each database in turn."""
    return build_county(db.session())
