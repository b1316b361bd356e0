"""Why a file isn't taken. All of them are refusals of the field `file`, so that a page shows them where it was chosen."""

from __future__ import annotations

from feedback.kernel.errors import Invalid, Refused
from feedback.kernel.text import N_, Text

FIELD = "file"


class UnfitFile(Invalid):
    """A file that can't be kept (422). `problem` is the sentence alone, `reason` a code of cleaning.PROBLEMS."""

    def __init__(self, problem: Text, reason: str = "damaged") -> None:
        super().__init__({FIELD: problem})
        self.problem = problem
        self.reason = reason


class WrongFileType(UnfitFile):
    """A kind of file that isn't taken, or whose name, declared type and content contradict each other (415)."""

    code = "wrong_type"


class FileTooLarge(UnfitFile):
    """More bytes than a file may have (413)."""

    code = "too_large"


class StoreAway(Refused):
    """The store of files does not answer, or is full (503)."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__(
            Text(N_("Files can't be kept or fetched just now. Nothing was changed; try again in a few minutes."))
        )
