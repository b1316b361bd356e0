"""Production does not start on a database that the demo has filled."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from feedback.factory import create_app
from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from feedback.settings import Settings, SettingsError
from tests.conftest import KEY
from tests.support.county import START


def production(folder: Path) -> Settings:
    environ = {
        "FEEDBACK_ENV": "production",
        "SECRET_KEY": KEY,
        "DATABASE_URL": f"sqlite:///{folder / 'zhida.db'}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "BASE_URL": "https://zhida.example",
        "INSTANCE_DIR": str(folder),
    }
    return Settings.from_env(environ, uid=1000)


def test_production_refuses_a_site_with_demo_accounts(app: Flask, tmp_path: Path) -> None:
    with transaction() as session:
        session.add(Account(login="demo", name="Demo", created_at=START, is_active=True, is_demo=True))
    with pytest.raises(SettingsError, match="demo accounts"):
        create_app(production(tmp_path))


def test_production_starts_without_them(app: Flask, tmp_path: Path) -> None:
    assert create_app(production(tmp_path)).config["SETTINGS"].is_production
