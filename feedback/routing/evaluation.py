"""How good a category model is on labelled texts: accuracy, macro-F1, and what it would dispatch by itself. Pure Python."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from feedback.routing.examples import Example
from feedback.routing.learned import LearnedModel


@dataclass(frozen=True)
class Evaluation:
    """Shares from 0 to 1. `coverage`: of texts at or above the threshold; `precision`: of those, the right ones (None: none).

    `unknown` are examples with a label that the model never learned: all of them count as wrong.
    """

    examples: int
    accuracy: float
    macro_f1: float
    top2: float
    threshold: float | None
    coverage: float
    precision: float | None
    unknown: int
    ms_per_text: float

    def as_json(self) -> dict[str, Any]:
        """Rounded to four places."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def evaluate(model: LearnedModel, examples: Sequence[Example], threshold: float | None) -> Evaluation:
    """Ask the model for every example; at least one must be there."""
    began = time.perf_counter()
    answers = [model.predict(each.text, each.title) for each in examples]
    seconds = time.perf_counter() - began
    guesses = [[each.label for each in answer[:2]] for answer in answers]
    right = [bool(guess) and guess[0] == each.label for guess, each in zip(guesses, examples, strict=True)]
    sure = [bool(a) and threshold is not None and a[0].share >= threshold for a in answers]
    known = set(model.parts.labels)
    return Evaluation(
        examples=len(examples),
        accuracy=sum(right) / len(examples),
        macro_f1=macro_f1([each.label for each in examples], [guess[0] if guess else "" for guess in guesses]),
        top2=sum(each.label in guess for guess, each in zip(guesses, examples, strict=True)) / len(examples),
        threshold=threshold,
        coverage=sum(sure) / len(examples),
        precision=sum(r for r, s in zip(right, sure, strict=True) if s) / sum(sure) if any(sure) else None,
        unknown=sum(each.label not in known for each in examples),
        ms_per_text=1000 * seconds / len(examples),
    )


def macro_f1(truth: Sequence[str], guesses: Sequence[str]) -> float:
    """The mean over the labels that occur in truth or guess of 2 x right / (there + guessed); no guess ("") is no label."""
    there, guessed = Counter(truth), Counter(guess for guess in guesses if guess)
    right = Counter(label for label, guess in zip(truth, guesses, strict=True) if label == guess)
    labels = there | guessed
    return sum(2 * right[label] / (there[label] + guessed[label]) for label in labels) / len(labels)
