"""What a trained category model says of a text: shares by label, how sure it is, and the words that spoke. Pure Python.

No library for numbers is loaded here: web processes predict with what Python has.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from feedback.routing.features import TITLE_WEIGHT, count_features, key_of, prepared, spans
from feedback.routing.model_file import ModelParts

LEAST_SURE = 0.5
MOST_WORDS = 5
LONGEST_WORD = 4
"""Letters up to which overlapping pairs are put together."""
WEAKEST_WORD = 0.25
"""Of the strongest word's strength: what is weaker is not worth showing."""
FEWEST_DECIDED = 60
"""Decisions on unseen texts that a threshold is chosen from at least; with fewer, nothing is sure."""


@dataclass(frozen=True)
class Prediction:
    """A label for a text: its share (0 to 1) among all labels; `score` is the bare one of the model."""

    label: str
    share: float
    score: float


@dataclass(frozen=True)
class LearnedModel:
    """A model that answers. `predict`: all labels, the likeliest first; `sure_from`: the share from which it is sure."""

    parts: ModelParts

    def predict(self, text: str, title: str = "") -> list[Prediction]:
        """What the text is about, by label, the likeliest first. A text of which nothing is known gets no label at all."""
        scores = self.scores(text, title)
        if scores is None:
            return []
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], self.parts.labels[i]))
        best, second = scores[order[0]], scores[order[1]]
        share = self._share_of(best - second)
        pulls = [math.exp(self.parts.sharpness * (scores[i] - second)) for i in order[1:]]
        # What is left goes to the others by how near they come, and to none of them more than to the best.
        rest = [min(share, (1 - share) * pull / sum(pulls)) for pull in pulls]
        shares = [share, *rest]
        return [Prediction(self.parts.labels[i], each, scores[i]) for i, each in zip(order, shares, strict=True)]

    def scores(self, text: str, title: str = "") -> list[float] | None:
        """The score of each label, in their order; None where the model knows nothing of the text."""
        keys, scales, weights = self.parts.keys, self.parts.scales, self.parts.weights
        width, most = len(self.parts.labels), len(self.parts.keys)
        sums, square = [0.0] * width, 0.0
        for key, number in count_features(text, title).items():
            at = bisect_left(keys, key)
            if at == most or keys[at] != key:
                continue
            value = number * scales[at]
            square += value * value
            row = weights[at * width : (at + 1) * width]
            sums = [old + value * weight for old, weight in zip(sums, row, strict=True)]
        if square <= 0:
            return None
        length = math.sqrt(square)
        return [each / length + bias for each, bias in zip(sums, self.parts.biases, strict=True)]

    def sure_from(self, precision: float) -> float | None:
        """The lowest share at and above which decisions on unseen texts were right in `precision` (0 to 1) of them.

        One more wrong one is counted than there was, so that a handful of right ones is no proof; and what is less likely
        than not is never sure, however good the others are. None: there is none.
        """
        margins, rights = self.parts.margins, self.parts.rights
        if len(margins) < FEWEST_DECIDED:
            return None
        lowest = None
        for number, right in enumerate(accumulate(rights), start=1):
            if right >= precision * (number + 1) and (number == len(margins) or margins[number] < margins[number - 1]):
                lowest = margins[number - 1]
        return None if lowest is None else max(LEAST_SURE, self._share_of(lowest))

    def words_for(self, label: str, text: str, title: str = "", most: int = MOST_WORDS) -> tuple[str, ...]:
        """The words of the text that spoke most for a label, the strongest first; neighbours that overlap are one word."""
        if label not in self.parts.labels:
            return ()
        column = self.parts.labels.index(label)
        said: dict[str, float] = {}
        for part, weight in ((title, TITLE_WEIGHT), (text, 1)):
            for word, strength in self._spoken(prepared(part), column):
                said[word] = said.get(word, 0.0) + strength * weight
        least = WEAKEST_WORD * max(said.values(), default=0.0)
        ranked = sorted((word for word in said if said[word] >= least), key=lambda word: (-said[word], word))
        chosen: list[str] = []
        for word in ranked:
            if not any(word in other or other in word for other in chosen):
                chosen.append(word)
            if len(chosen) == most:
                break
        return tuple(chosen)

    def _spoken(self, folded: str, column: int) -> Iterator[tuple[str, float]]:
        """Stretches of the text that speak for a label: overlapping features put together, with their strength."""
        begin, end, strength = 0, 0, 0.0
        for start, stop in spans(folded):
            pull = self._pull(folded[start:stop], column)
            if begin <= start and stop <= end:
                strength += pull
            elif pull <= 0 or (stop - start == 1 and folded[start] > "\u3000"):
                continue  # a single Han character says too little to be shown
            elif start < end and stop - begin <= LONGEST_WORD:
                end, strength = stop, strength + pull
            else:
                if strength > 0:
                    yield folded[begin:end], strength
                begin, end, strength = start, stop, pull
        if strength > 0:
            yield folded[begin:end], strength

    def _pull(self, word: str, column: int) -> float:
        """How much more a feature speaks for a label than for the others; below 0: less."""
        at = self._place(key_of(word))
        if at is None:
            return 0.0
        width = len(self.parts.labels)
        row = self.parts.weights[at * width : (at + 1) * width]
        return self.parts.scales[at] * (row[column] - sum(row) / width)

    def _place(self, key: int) -> int | None:
        at = bisect_left(self.parts.keys, key)
        return at if at < len(self.parts.keys) and self.parts.keys[at] == key else None

    def _share_of(self, margin: float) -> float:
        """The share of right decisions among those that led by this much; of two labels at least a half for the best."""
        raised = self.parts.slope * margin + self.parts.offset
        share = 1 / (1 + math.exp(-max(-60.0, min(60.0, raised))))
        return max(share, 1 / len(self.parts.labels))
