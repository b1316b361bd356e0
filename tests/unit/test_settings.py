"""Settings from the environment and settings.env: what is taken, what is refused, and by which variable's name."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from feedback.settings import Settings, SettingsError
from feedback.settings_file import FileError, keep_missing, read_file, write_values

KEY = "qK3vZ8nRw5yTb1LxGd7pJf0sHc4mUe9aWi2oXk6N"
USER = 1000
PRODUCTION = {"FEEDBACK_ENV": "production", "SECRET_KEY": KEY, "BASE_URL": "https://zhida.test"}


def read(folder: Path, **environ: str) -> Settings:
    return Settings.from_env({"INSTANCE_DIR": str(folder), **environ}, uid=USER)


def in_production(folder: Path, **environ: str) -> Settings:
    return read(folder, **{**PRODUCTION, **environ})


def test_operator_who_sets_nothing_gets_the_documented_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.env == "development"
    assert settings.database_url == f"sqlite:///{tmp_path}/zhida.db"
    assert settings.storage_url == f"file://{tmp_path}/files"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert (settings.timezone, settings.default_locale) == ("Asia/Shanghai", "zh_CN")
    assert (settings.sweep_seconds, settings.trusted_proxies) == (5, 0)
    assert settings.smtp_url is None
    assert settings.data_dir is None
    assert not settings.is_https
    assert not settings.is_production


def test_developer_without_a_key_gets_one_that_stays_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "instance"
    first, second = read(folder), read(folder)
    assert len(first.secret_key) >= 32
    assert first.secret_key == second.secret_key
    assert stat.S_IMODE((folder / "settings.env").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_environment_wins_over_the_file_and_an_empty_value_does_not(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text(
        "SECRET_KEY=from-file\nTIMEZONE=Asia/Urumqi\n# note\nexport SWEEP_SECONDS='7'\n"
    )
    settings = read(tmp_path, TIMEZONE="UTC", SWEEP_SECONDS="")
    assert (settings.secret_key, settings.timezone, settings.sweep_seconds) == ("from-file", "UTC", 7)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FEEDBACK_ENV", "prod"),
        ("DATABASE_URL", "mysql://db/zhida"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql+psycopg://db"),
        ("DATABASE_URL", "postgresql://db:port/zhida"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://host:port/0"),
        ("BASE_URL", "zhida.test"),
        ("BASE_URL", "ftp://zhida.test"),
        ("BASE_URL", "https://zhida.test/desk"),
        ("STORAGE_URL", "/var/files"),
        ("STORAGE_URL", "file://files"),
        ("STORAGE_URL", "s3://"),
        ("SMTP_URL", "mail.test:25"),
        ("TIMEZONE", "Asia/Peking"),
        ("TIMEZONE", "../etc/passwd"),
        ("DEFAULT_LOCALE", "zh-CN"),
        ("SWEEP_SECONDS", "0"),
        ("SWEEP_SECONDS", "five"),
        ("SWEEP_SECONDS", "٥"),
        ("TRUSTED_PROXIES", "-1"),
        ("ALLOW_HTTP", "maybe"),
        ("FEEDBACK_DATA_DIR", "/nowhere/at/all"),
    ],
)
def test_wrong_value_is_refused_with_the_name_of_its_variable(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(tmp_path, **{variable: value})
    assert refusal.value.variable == variable
    assert str(refusal.value).startswith(f"{variable}: ")


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "SMTP_URL", "BASE_URL"])
def test_refusal_never_repeats_a_password(tmp_path: Path, variable: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(tmp_path, **{variable: "wrong://user:hush-hush@host:1x/name"})
    assert "hush-hush" not in str(refusal.value)


def test_settings_printed_by_mistake_show_no_secret(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        SECRET_KEY=KEY,
        DATABASE_URL="postgresql://u:hush@db/z",
        REDIS_URL="redis://:hush@h/0",
        SMTP_URL="smtp://u:hush@m",
    )
    assert "hush" not in repr(settings)
    assert KEY not in repr(settings)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_postgresql_address_means_psycopg_3(tmp_path: Path, scheme: str) -> None:
    assert read(tmp_path, DATABASE_URL=f"{scheme}://u:p@db/z").database_url == "postgresql+psycopg://u:p@db/z"


@pytest.mark.parametrize(
    "key", ["", "short", KEY[:31], "a" * 64, "change-me-" + KEY, "an-example-key-of-sufficient-length-0123456789"]
)
def test_production_refuses_a_missing_short_or_sample_key(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        in_production(tmp_path, SECRET_KEY=key)
    assert refusal.value.variable == "SECRET_KEY"
    assert not (tmp_path / "settings.env").exists()


@pytest.mark.parametrize(
    ("variable", "environ"),
    [
        ("BASE_URL", {"BASE_URL": "http://zhida.test"}),
        ("BASE_URL", {"BASE_URL": ""}),
        ("REDIS_URL", {"REDIS_URL": "redis://10.0.0.7:6379/0"}),
        ("FLASK_DEBUG", {"FLASK_DEBUG": "1"}),
    ],
)
def test_production_refuses_what_is_unsafe(tmp_path: Path, variable: str, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refusal:
        in_production(tmp_path, **environ)
    assert refusal.value.variable == variable


def test_production_starts_with_https_or_where_http_is_allowed_by_name(tmp_path: Path) -> None:
    assert in_production(tmp_path).is_https
    allowed = in_production(tmp_path, BASE_URL="http://zhida.test", ALLOW_HTTP="1")
    assert allowed.allow_http
    assert allowed.base_url == "http://zhida.test"
    assert in_production(tmp_path, REDIS_URL="redis://:pass@10.0.0.7:6379/0").redis_url.endswith("/0")


def test_root_is_refused_in_production_and_warned_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="root"):
        Settings.from_env({"INSTANCE_DIR": str(tmp_path), **PRODUCTION}, uid=0)
    as_root = Settings.from_env({"INSTANCE_DIR": str(tmp_path)}, uid=0)
    assert any("root" in notice for notice in as_root.notices)
    assert read(tmp_path).notices == ()


@pytest.mark.parametrize("line", ["SECRET_KEY", "not a setting", "KEY='hush-hush"])
def test_broken_line_of_the_file_is_refused_by_number_without_its_text(tmp_path: Path, line: str) -> None:
    (tmp_path / "settings.env").write_text(f"TIMEZONE=UTC\n{line}\n")
    with pytest.raises(SettingsError, match="line 2") as refusal:
        read(tmp_path)
    assert "hush-hush" not in str(refusal.value)


def test_written_values_are_read_back_and_other_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.env"
    path.write_text("# mine\nSMTP_URL=smtp://mail.test\nPORT=1\n")
    values = {"PORT": "8000", "INSTANCE": "/a b/#c", "QUOTED": "it's", "EMPTY": "", "URL": "redis://:a=b@h:1/0?x=1&y=2"}
    write_values(path, values)
    assert read_file(path) == {"SMTP_URL": "smtp://mail.test", **values}
    assert path.read_text().startswith("# mine\n")
    with pytest.raises(FileError):
        write_values(path, {"BAD": "two\nlines"})
    assert read_file(path) == {"SMTP_URL": "smtp://mail.test", **values}


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.env"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        seen = pool.starmap(keep_missing, [(path, {"SECRET_KEY": f"key-{number}"}) for number in range(8)])
    assert len({values["SECRET_KEY"] for values in seen}) == 1
