"""What every import gives back: how many rows did what, and each row refused, with its reason. No reading of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from feedback.kernel.errors import Invalid
from feedback.kernel.text import Text


@dataclass(frozen=True)
class RowError:
    """A row not taken: `number` as a spreadsheet shows it (the header is 1), `column` where one is to blame."""

    number: int
    text: Text
    column: str | None = None

    @classmethod
    def of_invalid(cls, number: int, invalid: Invalid) -> list[RowError]:
        """One error for each bad field of a command made from the row."""
        return [cls(number, text, name) for name, text in invalid.errors.items()]


@dataclass
class ImportResult:
    """The count of rows by what they did. A row with an error is in none of the counts, and loses no good row."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    ignored: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether every row was taken."""
        return not self.errors

    def refuse(self, number: int, text: Text, column: str | None = None) -> None:
        """Note a row that is not taken."""
        self.errors.append(RowError(number, text, column))

    def refuse_all(self, errors: Iterable[RowError]) -> None:
        """Note several errors at once."""
        self.errors.extend(errors)

    def as_json(self, translate: Callable[[str], str] = str) -> dict[str, Any]:
        """What `--json` and the API print."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "errors": [
                {"row": error.number, "column": error.column, "error": error.text.render(translate)}
                for error in sorted(self.errors, key=lambda error: error.number)
            ],
            "ignored_columns": list(self.ignored),
        }
