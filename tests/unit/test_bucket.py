"""Files in a bucket, against a real S3 server on loopback where one is installed (moto[server])."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from feedback.files.storage import open_store
from feedback.files.store import Store, new_key

pytest.importorskip("obstore")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store in a bucket of a server that lives as long as the test."""
    moto: Any = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with urlopen(Request(f"http://{host}:{port}/zhida", method="PUT")):
        yield open_store(f"s3://zhida/files?endpoint=http://{host}:{port}&region=us-east-1")
    server.stop()


def test_a_bucket_keeps_gives_lists_and_forgets(bucket: Store) -> None:
    key = new_key()
    assert bucket.get(key) is None
    bucket.put(key, b"bytes" * 1000)
    assert bucket.get(key) == b"bytes" * 1000
    (found,) = bucket.stored()
    assert found.key == key
    assert abs(found.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert bucket.get("../etc/passwd") is None
    with pytest.raises(OSError, match="not a key"):
        bucket.put("../x", b"")
    bucket.delete(key)
    bucket.delete(key)
    assert list(bucket.stored()) == []


def test_a_bucket_that_does_not_answer_is_an_outage_not_a_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"})
    store = open_store("s3://zhida?endpoint=http://127.0.0.1:9&region=us-east-1")
    for call in (lambda: store.get(new_key()), lambda: store.put(new_key(), b"x"), lambda: list(store.stored())):
        with pytest.raises(OSError, match=r"."):
            call()
