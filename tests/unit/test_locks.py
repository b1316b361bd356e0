"""The hashed locks hold what requirements*.txt ask for, so that no package is installed by its range alone."""

from __future__ import annotations

import re

import pytest

from feedback.settings import ROOT

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def names(file: str) -> set[str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    matches = [NAME.match(line) for line in lines]
    return {match[0].lower().replace("_", "-").replace(".", "-") for match in matches if match}


@pytest.mark.parametrize("kind", ["requirements", "requirements-dev"])
def test_lock_pins_every_package_that_is_asked_for(kind: str) -> None:
    missing = names(f"{kind}.txt") - names(f"{kind}.lock")
    assert not missing, f"run .ci/lock: {sorted(missing)}"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_lock_has_hashes_and_names_no_index_or_local_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if NAME.match(line)]
    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins), "every pin is followed by its hashes"
    assert not re.search(r"index-url|find-links|file:|https?:", text)


def test_tests_run_with_the_versions_that_start_installs() -> None:
    pins = [
        {line.split(" ")[0] for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if NAME.match(line)}
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]
