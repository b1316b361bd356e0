"""The duty catalogue as an admin reads it and takes it away as a file: the rows in force, with their versions. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from feedback.kernel.errors import Invalid
from feedback.kernel.paging import Page, check_limit, cut_page, decode_cursor
from feedback.kernel.text import N_, Text
from feedback.people.models import Unit
from feedback.people.queries import units_by_id
from feedback.routing.imports import OPTIONAL, REQUIRED
from feedback.routing.models import CatalogueRow, Category

COLUMNS = (*REQUIRED, *OPTIONAL)


@dataclass(frozen=True)
class CatalogueView:
    """A row in force: which units it names, from which version and when."""

    row: CatalogueRow
    path: str
    area: Unit | None
    lead: Unit
    assists: tuple[Unit, ...]


def list_rows(session: Session, *, q: str = "", limit: int = 50, cursor: str | None = None) -> Page[CatalogueView]:
    """Rows in force by category, narrowed to a part of the category's path or the lead's name. Invalid: a strange cursor."""
    query = select(CatalogueRow, Category.path).join(Category).join(Unit, Unit.id == CatalogueRow.lead_id)
    query = query.where(CatalogueRow.superseded_at.is_(None)).order_by(Category.path, CatalogueRow.id)
    if q:
        found = Category.path.icontains(q, autoescape=True) | Unit.name.icontains(q, autoescape=True)
        query = query.where(found | Unit.name_en.icontains(q, autoescape=True))
    if cursor:
        path, row_id = decode_cursor(cursor, 2)
        if not isinstance(path, str) or not path.isprintable() or type(row_id) is not int or abs(row_id) > 2**62:
            raise Invalid({"cursor": Text(N_("This cursor was not made here. Start from the first page."))})
        later = (Category.path == path) & (CatalogueRow.id > row_id)
        query = query.where((Category.path > path) | later)
    rows = [(row, path) for row, path in session.execute(query.limit(check_limit(limit) + 1))]
    page = cut_page(rows, limit, lambda pair: [pair[1], pair[0].id])
    return Page(_views(session, page.items), page.next)


def count_rows(session: Session) -> int:
    """How many rows are in force."""
    query = select(func.count()).select_from(CatalogueRow).where(CatalogueRow.superseded_at.is_(None))
    return session.scalar(query) or 0


def export_rows(session: Session) -> Iterator[list[str]]:
    """Every row in force as lines of a catalogue file, the header first."""
    yield list(COLUMNS)
    query = select(CatalogueRow, Category.path).join(Category).where(CatalogueRow.superseded_at.is_(None))
    rows = [(row, path) for row, path in session.execute(query.order_by(Category.path, CatalogueRow.id))]
    for view in _views(session, rows):
        row = view.row
        yield [
            view.path,
            view.lead.code,
            ";".join(row.keywords),
            view.area.code if view.area else "",
            ";".join(unit.code for unit in view.assists),
            row.grounds,
            row.not_below or "",
            row.valid_from.isoformat() if row.valid_from else "",
            row.valid_to.isoformat() if row.valid_to else "",
        ]


def count_rows_naming(session: Session, unit_id: int) -> int:
    """How many rows in force name a unit as lead, assist or area."""
    live = session.scalars(select(CatalogueRow).where(CatalogueRow.superseded_at.is_(None)))
    return sum(unit_id in (row.lead_id, row.area_id, *row.assist_ids) for row in live)


def _views(session: Session, rows: Sequence[tuple[CatalogueRow, str]]) -> list[CatalogueView]:
    ids = {i for row, _ in rows for i in (row.lead_id, row.area_id, *row.assist_ids) if i is not None}
    units = units_by_id(session, ids)
    return [
        CatalogueView(
            row,
            path,
            units[row.area_id] if row.area_id else None,
            units[row.lead_id],
            tuple(units[i] for i in row.assist_ids if i in units),
        )
        for row, path in rows
    ]
