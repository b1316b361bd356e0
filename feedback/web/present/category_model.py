"""The category model as an admin reads it: what serves and how good it is, how far the site's labels reach, its versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedback.dispatch.learning import LearningState
from feedback.routing.models import CategoryModel
from feedback.routing.served_model import ModelState
from feedback.web.present.cells import when_past
from feedback.web.present.labels import share_words
from feedback.web.translate import gettext as _

Part = dict[str, Any]


def model_facts(state: ModelState, rows: Sequence[CategoryModel], learning: LearningState, now: datetime) -> list[Part]:
    """Facts for the facts macro."""
    told = [
        {"label": _("Labelled tickets"), "text": str(learning.labelled)},
        {"label": _("Of these new since the last training"), "text": str(learning.new)},
    ]
    if state.served is None:
        return [{"label": _("In force"), "text": _("none yet: keywords of the catalogue alone")}, *told]
    row = next(row for row in rows if row.version == state.served.version)
    threshold = state.served.threshold
    return [
        {"label": _("In force"), "text": _("version %(version)s", version=row.version)},
        {"label": _("Trained"), "when": when_past(row.trained_at, now)},
        {"label": _("Learned from"), "text": _texts(row)},
        {"label": _("Right on texts it had not seen"), "text": share_words(row.figures["unseen"]["accuracy"])},
        {
            "label": _("Dispatches by itself from a share of"),
            "text": share_words(threshold) if threshold is not None else _("never: too few texts show that it may"),
        },
        *told,
    ]


def _texts(row: CategoryModel) -> str:
    figures = row.figures
    return _("%(texts)s texts, %(labels)s categories", texts=figures["examples"], labels=len(figures["labels"]))


def version_rows(state: ModelState, rows: Sequence[CategoryModel], now: datetime) -> list[Part]:
    """The versions, for a list: {version, words, when, serves, refused}."""
    refused = {version for version, _reason in state.refused}
    serving = state.served.version if state.served else None
    return [
        {
            "version": row.version,
            "words": _(
                "%(texts)s; right in %(share)s",
                texts=_texts(row),
                share=share_words(row.figures["unseen"]["accuracy"]),
            ),
            "when": when_past(row.trained_at, now),
            "serves": row.version == serving,
            "refused": row.version in refused,
            "worse": row.in_force_at is None,
        }
        for row in rows
    ]
