"""One row of the duty catalogue put in force by itself; files are imports.py's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.routing.models import CatalogueRow


def put_row(session: Session, *, category_id: int, area_id: int | None, lead_id: int, now: datetime) -> CatalogueRow:
    """From `now` on this unit alone leads for the category in the area (None: everywhere), in the open transaction.

    The rows that answered there are superseded; their keywords go on, because a word names a category, not a unit.
    """
    is_there = CatalogueRow.area_id.is_(None) if area_id is None else CatalogueRow.area_id == area_id
    query = select(CatalogueRow).where(
        CatalogueRow.category_id == category_id, is_there, CatalogueRow.superseded_at.is_(None)
    )
    standing = session.scalars(query.order_by(CatalogueRow.id)).all()
    for row in standing:
        row.superseded_at = now
    same = [row for row in standing if row.lead_id == lead_id]
    new = CatalogueRow(
        version=max((row.version for row in standing), default=0) + 1,
        category_id=category_id,
        keywords=list(dict.fromkeys(word for row in standing for word in row.keywords)),
        area_id=area_id,
        lead_id=lead_id,
        assist_ids=list(same[0].assist_ids) if same else [],
        grounds=same[0].grounds if same else "",
        not_below=next((row.not_below for row in standing if row.not_below), None),
        created_at=now,
    )
    session.add(new)
    session.flush()
    return new
