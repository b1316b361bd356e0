"""The duty catalogue as it stands, read whole and kept by each process until a row changes. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.reference import kept
from feedback.routing.keywords import Keyword, fold
from feedback.routing.models import CatalogueRow, Category


@dataclass(frozen=True)
class Duty:
    """A row of the catalogue: who leads for a category in an area (None: at the whole site), both days included."""

    row_id: int
    version: int
    category_id: int
    area_id: int | None
    lead_id: int
    assist_ids: tuple[int, ...]
    not_below: str | None
    valid_from: date | None
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Catalogue:
    """Categories by id and path, duties by category, and the keywords (owner: category id), lasting and dated ones."""

    paths: dict[int, str]
    ids: dict[str, int]
    successors: dict[int, int]
    by_category: dict[int, tuple[Duty, ...]]
    lasting: tuple[Keyword, ...]
    dated: tuple[tuple[Duty, Keyword], ...]

    def keywords_on(self, day: date) -> list[Keyword]:
        """The keywords of all rows valid that day, wherever: a word names a category, not an area."""
        return [*self.lasting, *(keyword for duty, keyword in self.dated if duty.is_valid_on(day))]

    def present_id(self, category_id: int) -> int:
        """The category that stands for this one now: itself, or what it was renamed or merged into."""
        seen: set[int] = set()
        while category_id in self.successors and category_id not in seen:
            seen.add(category_id)
            category_id = self.successors[category_id]
        return category_id

    def upwards(self, category_id: int) -> Iterator[int]:
        """The category and those above it in its path, the most exact first."""
        path = self.paths.get(category_id, "")
        while path:
            if path in self.ids:
                yield self.ids[path]
            path = path.rpartition("/")[0]

    def nearest(self, category_id: int, area_ids: list[int], day: date) -> tuple[Duty, ...]:
        """The rows that answer for a category: of the most exact one, of the nearest area upwards; valid that day."""
        for exact in self.upwards(category_id):
            valid = [duty for duty in self.by_category.get(exact, ()) if duty.is_valid_on(day)]
            for area_id in (*area_ids, None):
                found = tuple(duty for duty in valid if duty.area_id == area_id)
                if found:
                    return found
        return ()


def load_catalogue(session: Session) -> Catalogue:
    """The catalogue in force, to be read only; read again where something of it changed."""
    return kept(session, "catalogue", _read)


def _duty(row: CatalogueRow) -> Duty:
    return Duty(
        row_id=row.id,
        version=row.version,
        category_id=row.category_id,
        area_id=row.area_id,
        lead_id=row.lead_id,
        assist_ids=tuple(row.assist_ids),
        not_below=row.not_below,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _read(session: Session) -> Catalogue:
    paths: dict[int, str] = {}
    successors: dict[int, int] = {}
    for category_id, path, successor in session.execute(
        select(Category.id, Category.path, Category.succeeded_by_id).order_by(Category.id)
    ):
        paths[category_id] = path
        if successor is not None:
            successors[category_id] = successor
    lasting: dict[tuple[str, int], Keyword] = {}
    dated: list[tuple[Duty, Keyword]] = []
    by_category: dict[int, list[Duty]] = {}
    for row in session.scalars(
        select(CatalogueRow).where(CatalogueRow.superseded_at.is_(None)).order_by(CatalogueRow.id)
    ):
        duty = _duty(row)
        by_category.setdefault(duty.category_id, []).append(duty)
        for shown in row.keywords:
            keyword = Keyword(fold(shown), shown, duty.category_id)
            if not keyword.folded:
                continue
            if duty.valid_from or duty.valid_to:
                dated.append((duty, keyword))
            else:
                lasting[keyword.folded, duty.category_id] = keyword
    return Catalogue(
        paths=paths,
        ids={path: category_id for category_id, path in paths.items()},
        successors=successors,
        by_category={category_id: tuple(rows) for category_id, rows in by_category.items()},
        lasting=tuple(lasting.values()),
        dated=tuple(dated),
    )
