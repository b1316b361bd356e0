"""Finding a unit by what somebody typed: its code, its name, or a part of the name that is no other unit's too.

The list offered while typing is a plain datalist, one for a whole page, so that it works without scripts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from feedback.kernel.errors import Invalid
from feedback.kernel.text import N_, Text
from feedback.people.models import LEVELS, Unit
from feedback.people.queries import list_units
from feedback.web.filters import either_name
from feedback.web.pinyin import is_spelt, spellings
from feedback.web.translate import gettext as _
from feedback.web.translate import listed

MOST_NAMED = 3


@dataclass(frozen=True)
class UnitPicker:
    """The units that may be given work now."""

    units: Sequence[Unit]

    def offers(self) -> list[str]:
        """What the datalist holds: `Water Bureau (water)`, the county's first."""
        listed = sorted(self.units, key=lambda unit: (LEVELS.index(unit.level), unit.path))
        return [f"{either_name(unit.name, unit.name_en)} ({unit.code})" for unit in listed]

    def spelt_offers(self) -> list[tuple[str, str]]:
        """Each offer with what else it is found by while typing: name, pinyin and first letters; "" where there is none."""
        names = {unit.code: unit.name for unit in self.units}
        found = []
        for offer in self.offers():
            name = names[offer[offer.rfind("(") + 1 : -1]]
            spelt = spellings(name)
            found.append((offer, f"{name} {spelt[0]} {_initials(spelt)}" if spelt else ""))
        return found

    def code_of(self, typed: str, field: str) -> str:
        """The code meant by what was typed. Raises Invalid naming `field`, with the names it could have been."""
        wanted = typed.strip()
        if not wanted:
            raise Invalid({field: Text(N_("This is needed."))})
        inner = wanted[wanted.rfind("(") + 1 : -1] if wanted.endswith(")") else wanted
        by_code = {unit.code.casefold(): unit.code for unit in self.units}
        found = by_code.get(inner.casefold()) or by_code.get(wanted.casefold())
        if found:
            return found
        exact = [unit for unit in self.units if wanted in (unit.name, unit.name_en)]
        near = exact or [u for u in self.units if wanted.casefold() in f"{u.name}\n{u.name_en or ''}".casefold()]
        near = near or self._spelt(wanted)
        if len(near) == 1:
            return near[0].code
        if not near:
            raise Invalid({field: Text(N_("There is no unit “%(typed)s”. Choose one from the list."), typed=wanted)})
        names = listed(
            _("%(name)s (%(unit)s)", name=either_name(u.name, u.name_en), unit=u.code) for u in near[:MOST_NAMED]
        )
        raise Invalid(
            {field: Text(N_("Several units fit “%(typed)s”: %(names)s. Choose one."), typed=wanted, names=names)}
        )

    def _spelt(self, typed: str) -> list[Unit]:
        """Units whose name's pinyin, or its first letters, begins with what was typed; whole ones before begun ones."""
        begun = [unit for unit in self.units if is_spelt(unit.name, typed)]
        letters = "".join(typed.split()).casefold()
        return [unit for unit in begun if letters in spellings(unit.name)] or begun


def _initials(spelt: Sequence[str]) -> str:
    """The usual first letters: the first of the shortest spellings."""
    return min(spelt, key=len)


def unit_picker(session: Session, now: datetime) -> UnitPicker:
    """The picker over all units in force."""
    return UnitPicker(list_units(session, now))
