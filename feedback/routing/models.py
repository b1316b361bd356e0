"""Tables of routing: categories, who leads for them where, and the trained category models. Rows are never changed once used."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from feedback.kernel.db import Base, Id, Instant
from feedback.kernel.reference import watch


class Category(Base):
    """A kind of matter, by path (`water/leak`); `name` and `name_en` are shown. A renamed one points to its successor."""

    __tablename__ = "category"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str | None] = mapped_column(String(120))
    succeeded_by_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)


class CatalogueRow(Base):
    """In this category and area this unit leads, these assist. Keywords find the category in a text that names none."""

    __tablename__ = "catalogue_row"
    __table_args__ = (Index("ix_catalogue_row_category_id_area_id", "category_id", "area_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    version: Mapped[int]
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"))
    keywords: Mapped[list[str]] = mapped_column(JSON, default=list)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    lead_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    assist_ids: Mapped[list[int]] = mapped_column(JSON, default=list)
    grounds: Mapped[str] = mapped_column(String(500), default="")
    not_below: Mapped[str | None] = mapped_column(String(12))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    superseded_at: Mapped[datetime | None] = mapped_column(Instant)


class CategoryModel(Base):
    """A version of the trained model (`packed`: model_file.py). The one in force was put there last; older ones are kept.

    `learned_from`: the examples that came in files, so that a later training learns from them too.
    """

    __tablename__ = "category_model"

    version: Mapped[int] = mapped_column(Id, primary_key=True)
    trained_at: Mapped[datetime] = mapped_column(Instant)
    trained_by: Mapped[str] = mapped_column(String(120))
    digest: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    in_force_at: Mapped[datetime | None] = mapped_column(Instant)
    packed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    learned_from: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


watch(Category.__table__)
watch(CatalogueRow.__table__)
watch(CategoryModel.__table__)
