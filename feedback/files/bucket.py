"""Files in an S3 bucket: s3://bucket/prefix?endpoint=https://…&region=…, with the keys of AWS_ACCESS_KEY_ID and its kin.

The package obstore is needed only here (requirements-s3.txt).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from feedback.files.store import KEY, Stored

try:
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
except ImportError:  # only those who keep files in a bucket install it
    if not TYPE_CHECKING:
        S3Store = None
        BaseError = OSError


class Bucket:
    """A store in a bucket. Every call may raise OSError where the bucket can't be reached."""

    def __init__(self, url: str) -> None:
        if S3Store is None:
            raise RuntimeError("STORAGE_URL: s3:// needs the package obstore (pip install -r requirements-s3.txt).")
        parts, asked = urlsplit(url), parse_qs(urlsplit(url).query)
        endpoint = asked.get("endpoint", [None])[0]
        self._store = S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            region=asked.get("region", ["us-east-1"])[0],
            config={"endpoint": endpoint} if endpoint else None,
            client_options={"allow_http": bool(endpoint and endpoint.startswith("http://")), "timeout": "20s"},
            retry_config={"max_retries": 2},
        )

    def put(self, key: str, data: bytes) -> None:
        """One request: S3 shows an object when all of it is there."""
        if not KEY.fullmatch(key):
            raise OSError("not a key of this store")
        try:
            self._store.put(key, data)
        except BaseError as error:
            raise OSError(str(error)) from error

    def get(self, key: str) -> bytes | None:
        """The bytes, or None where there are none."""
        if not KEY.fullmatch(key):
            return None
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise OSError(str(error)) from error

    def delete(self, key: str) -> None:
        """Remove what lies there; nothing there is fine."""
        try:
            self._store.delete(key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise OSError(str(error)) from error

    def stored(self) -> Iterator[Stored]:
        """Everything that lies there."""
        try:
            for page in self._store.list():
                for found in page:
                    yield Stored(found["path"], found["last_modified"].astimezone(UTC))
        except BaseError as error:
            raise OSError(str(error)) from error
