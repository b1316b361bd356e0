"""Pages of docs/ that are made from the code say what the code says."""

from __future__ import annotations

from feedback.cli.documents import ARCHITECTURE, MARKED, lifecycle_section


def test_architecture_page_shows_the_lifecycle_as_it_is() -> None:
    found = MARKED.search(ARCHITECTURE.read_text(encoding="utf-8"))
    assert found, "docs/architecture.md has lost its marks"
    assert found[0].removeprefix(found[1]).removesuffix(found[2]) == lifecycle_section(), (
        "run: .venv/bin/flask docs lifecycle --write"
    )
