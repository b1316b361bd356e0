"""What the trained model says of a text, in categories of the catalogue. A label that is no category is never proposed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from feedback.routing.catalogue import Catalogue
from feedback.routing.served_model import current_model

MOST_GUESSES = 3
LEAST_SHARE = 0.05
"""A category with a smaller share is not worth a dispatcher's look."""


@dataclass(frozen=True)
class Guess:
    """A category, its share (0 to 1), and the words of the text that spoke for it."""

    category_id: int
    share: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Opinion:
    """What a version of the model said: at most three guesses, the likeliest first. `is_sure`: the first one counts."""

    version: int
    threshold: float | None
    is_sure: bool
    guesses: tuple[Guess, ...]

    def facts(self) -> dict[str, Any]:
        """For ticket.routing (JSON): the version, whether it was sure, and the first guess with its share and words."""
        first = self.guesses[0] if self.guesses else None
        return {
            "version": self.version,
            "is_sure": self.is_sure,
            "category_id": first.category_id if first else None,
            "share": round(first.share, 3) if first else None,
            "words": list(first.words) if first else [],
        }


def ask_model(session: Session, catalogue: Catalogue, text: str, title: str, heard: Collection[int]) -> Opinion | None:
    """The model's opinion; None where there is no model. `heard`: the categories that keywords name, none or several.

    Sure is a share at or above the site's threshold, for a category that is there; where keywords name several, for one
    of those.
    """
    served = current_model(session)
    if served is None:
        return None
    predictions = served.model.predict(text, title)
    guesses: dict[int, Guess] = {}
    for prediction in predictions:
        if prediction.share < LEAST_SHARE or len(guesses) == MOST_GUESSES:
            break
        found = catalogue.ids.get(prediction.label)
        category_id = None if found is None else catalogue.present_id(found)
        if category_id is not None and category_id not in guesses:
            words = served.model.words_for(prediction.label, text, title)
            guesses[category_id] = Guess(category_id, prediction.share, words)
    first = next(iter(guesses.values()), None)
    is_sure = (
        first is not None
        and served.threshold is not None
        and first.share >= served.threshold
        and first.share == predictions[0].share
        and (not heard or first.category_id in heard)
    )
    return Opinion(served.version, served.threshold, is_sure, tuple(guesses.values()))
