"""The house as it stands: the checks of import_checks, code_checks and file_checks over the repository's files."""

from __future__ import annotations

import pytest

from tests.architecture import code_checks, file_checks, import_checks, sources

ROOM_CHECKS = [
    import_checks.room_arrows,
    import_checks.import_circles,
    import_checks.local_imports,
    import_checks.door_libraries,
    code_checks.commits,
    code_checks.status_writes,
    code_checks.wall_clocks,
    code_checks.docstrings,
    code_checks.names,
]


def _say(findings: list[str]) -> None:
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize("check", ROOM_CHECKS, ids=lambda check: check.__name__)
def test_code_keeps_the_house(check: sources.Check) -> None:
    files = sources.code()
    assert {file.room for file in files} >= {"kernel", "tickets"}, "the rooms were not found"
    _say(check(files))


def test_every_file_keeps_its_size() -> None:
    _say(file_checks.sizes(sources.read("**/*.py", "templates/**/*")))


@pytest.mark.parametrize("check", [file_checks.other_hosts, file_checks.inline_code], ids=lambda check: check.__name__)
def test_pages_keep_the_house(check: sources.Check) -> None:
    _say(check(sources.pages()))


def test_tracked_files_name_no_machine_path() -> None:
    _say(file_checks.machine_paths(sources.tracked()))
