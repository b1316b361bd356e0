"""How login names and roles are written. Pure: nothing here asks the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from feedback.kernel.actor import ROLES
from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text

LONGEST_LOGIN = 40
_LONGEST_TYPED = 200
_LOGIN = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._-]*")
_EMAIL = re.compile(r"(?=.{3,200}$)[^\s@<>,;]+@[^\s@<>,;]+")
_PHONE = re.compile(r"[0-9+() -]{3,40}")
_CODE = re.compile(r"[^\s@;；,/]{1,60}")


def fold_login(typed: str) -> str:
    """The one spelling of a login: NFKC (full-width letters become plain ones), lower case, without outer spaces."""
    return unicodedata.normalize("NFKC", typed[:_LONGEST_TYPED]).strip().lower()


def check_login(typed: str) -> str:
    """The folded login. Invalid (`login`) for one outside 1 to 40 Latin or Chinese letters, digits, `.`, `_`, `-`.

    Other scripts have letters that look like Latin ones, so that two people could seem to be one.
    """
    login = fold_login(typed)
    if len(login) > LONGEST_LOGIN or not _LOGIN.fullmatch(login):
        text = N_(
            "Must be at most %(most)s Latin or Chinese letters, digits, dots, dashes or underscores, "
            "and begin with a letter or digit."
        )
        raise Invalid({"login": Text(text, most=LONGEST_LOGIN)})
    return login


def check_unit_code(typed: str) -> str:
    """The code as given. Invalid (`code`) where it could not stand in `role@unit;role@unit`."""
    if not _CODE.fullmatch(typed) or not typed.isprintable():
        raise Invalid(
            {"code": Text(N_("Must be 1 to 60 characters without spaces, commas, semicolons, slashes or @."))}
        )
    return typed


def check_contacts(email: str | None, phone: str | None) -> None:
    """Invalid (`email`, `phone`) for what can't be an address or a number; None is fine."""
    errors = {}
    if email is not None and not _EMAIL.fullmatch(email):
        errors["email"] = Text(N_("Must be an e-mail address, such as li@example.gov.cn."))
    if phone is not None and not _PHONE.fullmatch(phone):
        errors["phone"] = Text(N_("Must be a telephone number of 3 to 40 digits, spaces, dashes, brackets or a plus."))
    if errors:
        raise Invalid(errors)


def split_roles(cell: str) -> list[str]:
    """The entries of a cell such as `handler@water;submitter@town` (the Chinese semicolon too)."""
    return [part.strip() for part in cell.replace("；", ";").split(";") if part.strip()]


def parse_roles(entries: Iterable[str]) -> list[tuple[str, str]]:
    """(role, unit code) of each `role@unit`, once each. Invalid (`roles`) for any other form or an unknown role."""
    found: dict[tuple[str, str], None] = {}
    for entry in entries:
        role, mark, code = entry.strip().partition("@")
        if not mark or not code or not code.isprintable():
            raise Invalid(
                {"roles": Text(N_("Must be written role@unit, such as handler@water; not “%(it)s”."), it=entry)}
            )
        if role not in ROLES:
            raise Invalid({"roles": Text(N_("There is no role “%(it)s”. One of: %(all)s."), it=role, all=ROLES)})
        found[role, code] = None
    return list(found)
