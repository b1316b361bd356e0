"""Why a use-case refuses. Each door turns these into its own answer (status code, flash, exit code) in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback.kernel.text import N_, Text


class Refused(Exception):
    """A use-case did nothing, and says why. `code` is for programs, `text` for people."""

    code = "refused"

    def __init__(self, text: Text, *, code: str | None = None, **details: Any) -> None:
        super().__init__(str(text))
        self.text = text
        self.details = details
        if code:
            self.code = code


class NotSignedIn(Refused):
    """Nobody is known to be asking (401)."""

    code = "not_signed_in"


class NotFound(Refused):
    """It does not exist, or this person may not know that it does (404)."""

    code = "not_found"

    def __init__(self, text: Text | None = None) -> None:
        super().__init__(text or Text(N_("There is nothing here that you can see.")))


class Forbidden(Refused):
    """Visible, but not this person's to do (403)."""

    code = "forbidden"


class Conflict(Refused):
    """The state of things does not allow it now (409)."""

    code = "status_conflict"


class VersionConflict(Conflict):
    """Somebody changed it since it was read (409); `details['version']` is the version now."""

    code = "version_conflict"


class Throttled(Refused):
    """Too soon or too often (429); `details['retry_after']` in seconds."""

    code = "throttled"


class Invalid(Refused):
    """One or more fields can't be taken (422). `errors` maps a field's name to what is wrong and what would be right."""

    code = "invalid"

    def __init__(self, errors: Mapping[str, Text]) -> None:
        super().__init__(Text(N_("Some fields need another look.")))
        self.errors = dict(errors)

    def __str__(self) -> str:
        return "; ".join(f"{name}: {text}" for name, text in self.errors.items())
