"""The category model in force, read once by each process. A bad one is refused, and the last good one serves."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.kernel.reference import kept
from feedback.kernel.site import get_setting
from feedback.routing.learned import LearnedModel
from feedback.routing.model_file import UnfitModel, unpack
from feedback.routing.models import CategoryModel

PRECISION = "dispatch_precision"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedModel:
    """A model that answers; `threshold` is the share from which it is sure, at the site's precision (None: never)."""

    version: int
    model: LearnedModel
    threshold: float | None


@dataclass(frozen=True)
class ModelState:
    """What serves (None: keywords alone), and the versions put in force later that can't be used, with the reason."""

    served: ServedModel | None
    refused: tuple[tuple[int, str], ...]


def current_model(session: Session) -> ServedModel | None:
    """The model that serves; None: there is none."""
    return model_state(session).served


def model_state(session: Session) -> ModelState:
    """What serves, and what was refused before it."""
    return kept(session, "category_model", _read)


def read_model(session: Session, version: int) -> LearnedModel:
    """The model of a version. Raises UnfitModel where it was cut, altered or is foreign to this program."""
    query = select(CategoryModel.digest, CategoryModel.packed).where(CategoryModel.version == version)
    digest, packed = session.execute(query).one()
    if hashlib.sha256(packed).hexdigest() != digest:
        raise UnfitModel("it was replaced: these are not the bytes that were trained")
    return LearnedModel(unpack(packed))


def _read(session: Session) -> ModelState:
    query = select(CategoryModel.version).where(CategoryModel.in_force_at.is_not(None))
    refused = []
    for version in session.scalars(query.order_by(CategoryModel.in_force_at.desc())).all():
        try:
            model = read_model(session, version)
        except UnfitModel as unfit:
            log.error("category model %s refused: %s", version, unfit)
            refused.append((version, str(unfit)))
            continue
        threshold = model.sure_from(get_setting(session, PRECISION) / 100)
        return ModelState(ServedModel(version, model, threshold), tuple(refused))
    return ModelState(None, tuple(refused))
