"""What a site may choose: the environment and INSTANCE_DIR/settings.env, read once into a frozen object.

A wrong value stops the start and names its variable. Nothing here opens a database or a socket.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from feedback.settings_file import FileError, keep_missing, read_file

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("development", "testing", "production")
LOCALES = ("zh_CN", "en")
SHORTEST_KEY = 32
SAMPLE_WORDS = (
    "change",
    "example",
    "sample",
    "insecure",
    "your-",
    "your_",
    "password",
    "secret",
    "development",
)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(ValueError):
    """A variable is missing or wrong; the message starts with its name and says what would be right."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"{variable}: {problem}")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the README. Spans are whole seconds; directories are absolute."""

    env: str
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    base_url: str
    instance_dir: Path
    storage_url: str
    smtp_url: str | None = field(repr=False)
    timezone: str
    default_locale: str
    sweep_seconds: int
    trusted_proxies: int
    allow_http: bool
    data_dir: Path | None
    notices: tuple[str, ...] = ()

    @property
    def is_production(self) -> bool:
        """Whether real people's tickets are kept here."""
        return self.env == "production"

    @property
    def is_https(self) -> bool:
        """Whether BASE_URL is https: decides Secure cookies and HSTS."""
        return self.base_url.startswith("https://")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, uid: int | None = None) -> Settings:
        """Read and check all settings; raises SettingsError for the first wrong one.

        environ is the process's own unless given; uid (who runs this) too. Outside production a missing
        SECRET_KEY is made and kept in INSTANCE_DIR/settings.env, so that every later process has the same.
        """
        given = dict(os.environ if environ is None else environ)
        instance_dir = instance_dir_of(given)
        try:
            values = {**read_file(instance_dir / "settings.env"), **_present(given)}
        except FileError as error:
            raise SettingsError("settings.env", str(error)) from error
        env = _env(values)
        production = env == "production"
        notices = _run_by(production, os.geteuid() if uid is None else uid)
        secret_key = _secret_key(values, instance_dir, production=production)
        allow_http = _yes_or_no(values, "ALLOW_HTTP")
        base_url = _base_url(values, production=production, allow_http=allow_http)
        if production and _yes_or_no(values, "FLASK_DEBUG"):
            raise SettingsError("FLASK_DEBUG", "debug mode shows the program's inside; unset it in production.")
        return cls(
            env=env,
            secret_key=secret_key,
            database_url=_database_url(values, instance_dir),
            redis_url=_redis_url(values, production=production),
            base_url=base_url,
            instance_dir=instance_dir,
            storage_url=_storage_url(values, instance_dir),
            smtp_url=_smtp_url(values),
            timezone=_timezone(values),
            default_locale=_one_of(values, "DEFAULT_LOCALE", LOCALES, "zh_CN"),
            sweep_seconds=_whole(values, "SWEEP_SECONDS", 5, least=1, most=3600),
            trusted_proxies=_whole(values, "TRUSTED_PROXIES", 0, least=0, most=10),
            allow_http=allow_http,
            data_dir=_data_dir(values),
            notices=notices,
        )


def instance_dir_of(environ: Mapping[str, str]) -> Path:
    """INSTANCE_DIR as an absolute path; ./instance beside the program where it isn't set."""
    given = environ.get("INSTANCE_DIR", "")
    return Path(given).expanduser().absolute() if given else ROOT / "instance"


def _present(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if value != ""}


def _env(values: Mapping[str, str]) -> str:
    return _one_of(values, "FEEDBACK_ENV", ENVIRONMENTS, "development")


def _one_of(values: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = values.get(name, default)
    if value not in allowed:
        raise SettingsError(name, f"must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def _whole(values: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    value = values.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise SettingsError(name, f"must be a whole number from {least} to {most}, not {value!r}.")
    return int(value)


def _yes_or_no(values: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "0").lower()
    if value not in ("0", "1", "false", "true", "no", "yes"):
        raise SettingsError(name, f"must be 1 or 0, not {value!r}.")
    return value in ("1", "true", "yes")


def _run_by(production: bool, uid: int) -> tuple[str, ...]:
    if uid != 0:
        return ()
    if production:
        raise SettingsError("FEEDBACK_ENV", "production does not run as root; start it as a user of its own.")
    return ("Running as root: fine in a container or for a try, refused in production.",)


def _split(name: str, value: str) -> SplitResult:
    """The parts of a URL; its value is never repeated in the message, because it may hold a password."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (a port that is no number raises only when it is asked for)
    except ValueError as error:
        raise SettingsError(name, f"is not a URL: {error}.") from error
    return parts


def _secret_key(values: Mapping[str, str], instance_dir: Path, *, production: bool) -> str:
    key = values.get("SECRET_KEY", "")
    advice = f"give {SHORTEST_KEY} or more random characters, such as those of: openssl rand -base64 48"
    if not production:
        return key or _made_key(instance_dir / "settings.env")
    if not key:
        raise SettingsError("SECRET_KEY", f"is missing; {advice}")
    if len(key) < SHORTEST_KEY:
        raise SettingsError("SECRET_KEY", f"has only {len(key)} characters; {advice}")
    if len(set(key)) < 10 or any(word in key.lower() for word in SAMPLE_WORDS):
        raise SettingsError("SECRET_KEY", f"looks like a sample, which anyone can guess; {advice}")
    return key


def _made_key(path: Path) -> str:
    try:
        return keep_missing(path, {"SECRET_KEY": secrets.token_urlsafe(48)})["SECRET_KEY"]
    except OSError as error:
        raise SettingsError("INSTANCE_DIR", f"cannot be written to: {error}.") from error


def _base_url(values: Mapping[str, str], *, production: bool, allow_http: bool) -> str:
    value = values.get("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
    parts = _split("BASE_URL", value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SettingsError("BASE_URL", "must be the address people open, such as https://zhida.example.gov.cn.")
    if parts.path:
        raise SettingsError("BASE_URL", "must not have a path: the pages live at the root of their host.")
    if production and parts.scheme == "http" and not allow_http:
        raise SettingsError("BASE_URL", "must be https in production; ALLOW_HTTP=1 allows http on a closed network.")
    return value


def _database_url(values: Mapping[str, str], instance_dir: Path) -> str:
    value = values.get("DATABASE_URL", f"sqlite:///{instance_dir / 'zhida.db'}")
    scheme, mark, rest = value.partition("://")
    if scheme == "sqlite" and mark:
        path, query_mark, query = rest.removeprefix("/").partition("?")
        if not rest.startswith("/") or path in ("", ":memory:"):
            raise SettingsError(
                "DATABASE_URL",
                "must name a file (sqlite:////var/lib/zhida/zhida.db): several processes share it.",
            )
        return f"sqlite:///{Path(path).absolute()}{query_mark}{query}"
    if scheme in ("postgresql", "postgres", "postgresql+psycopg") and mark:
        if not _split("DATABASE_URL", value).path.strip("/"):
            raise SettingsError("DATABASE_URL", "names no database: postgresql+psycopg://user:password@host/zhida.")
        return f"postgresql+psycopg://{rest}"
    raise SettingsError("DATABASE_URL", "must start with sqlite:/// or postgresql+psycopg://.")


def _redis_url(values: Mapping[str, str], *, production: bool) -> str:
    value = values.get("REDIS_URL", "redis://127.0.0.1:6379/0")
    parts = _split("REDIS_URL", value)
    if parts.scheme == "unix" and parts.path.startswith("/"):
        return value
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise SettingsError("REDIS_URL", "must be redis://…, rediss://… or unix:///path/to/socket.")
    if production and not parts.password and parts.hostname not in LOOPBACK:
        raise SettingsError("REDIS_URL", "has no password, and its host can be reached by others; give one.")
    return value


def _storage_url(values: Mapping[str, str], instance_dir: Path) -> str:
    value = values.get("STORAGE_URL", f"file://{instance_dir / 'files'}")
    parts = _split("STORAGE_URL", value)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return value
    if parts.scheme == "s3" and parts.hostname:
        return value
    raise SettingsError("STORAGE_URL", "must be file:///absolute/folder or s3://bucket/prefix.")


def _smtp_url(values: Mapping[str, str]) -> str | None:
    value = values.get("SMTP_URL")
    if value is None:
        return None
    parts = _split("SMTP_URL", value)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError("SMTP_URL", "must be smtp://user:password@host:587 or smtps://user:password@host:465.")
    return value


def _timezone(values: Mapping[str, str]) -> str:
    value = values.get("TIMEZONE", "Asia/Shanghai")
    try:
        return ZoneInfo(value).key
    except (ValueError, OSError, LookupError) as error:
        raise SettingsError("TIMEZONE", f"must be a zone such as Asia/Shanghai, not {value!r}.") from error


def _data_dir(values: Mapping[str, str]) -> Path | None:
    value = values.get("FEEDBACK_DATA_DIR")
    if value is None:
        return None
    path = Path(value).expanduser().absolute()
    if not path.is_dir():
        raise SettingsError("FEEDBACK_DATA_DIR", f"is not a folder: {value!r}; unset it to skip what needs it.")
    return path
