"""How well the category is found, on the real messages: `python -m bench.routing`, one JSON document.

Grouped 5-fold on labelled_raw; labelled_tokens without the groups under test are in every training fold. Beside ours, in
the same folds and the same run, a bare scikit-learn pipeline: character 1-2-grams, TF-IDF, linear SVM. Measured coverage
is the most texts, the surest first, of which so many are right; at the threshold means as the site would dispatch.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from feedback.routing.evaluation import evaluate
from feedback.routing.examples import Example, read_examples
from feedback.routing.learned import LearnedModel
from feedback.routing.model_file import pack, unpack
from feedback.routing.training import train

FOLDS, SEED = 5, 7
PRECISIONS = (0.95, 0.98)


def main() -> None:
    """Run all folds, or --folds of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=FOLDS, help="how many of the five folds to run")
    parser.add_argument("--examples", type=int, help="of each file at most so many rows (a quick look, no figure)")
    arguments = parser.parse_args()
    folder = os.environ.get("FEEDBACK_DATA_DIR")
    if not folder:
        parser.exit(2, "FEEDBACK_DATA_DIR is not set: the messages to measure on are not here.\n")
    print(json.dumps(measure(Path(folder), arguments.folds, arguments.examples), ensure_ascii=False, indent=2))


def measure(folder: Path, folds: int = FOLDS, most: int | None = None) -> dict[str, Any]:
    """Figures over the tested folds together: accuracy, macro-F1, coverages, seconds to train, milliseconds to predict."""
    whole, cut = (
        read_examples(folder / "messages" / name, name).examples[:most]
        for name in ("labelled_raw.csv.gz", "labelled_tokens.csv.gz")
    )
    fold = _folds(whole)
    ours, theirs = _Tally(), _Tally()
    thresholds: dict[float, list[tuple[float, float]]] = {each: [] for each in PRECISIONS}
    milliseconds, trained = [], []
    for number in range(folds):
        rest = [each for each in whole if fold[each.group] != number]
        rest += [each for each in cut if fold.get(each.group) != number]
        test = [each for each in whole if fold[each.group] == number]
        trained.append(len(rest))
        began = time.perf_counter()
        model = LearnedModel(unpack(pack(train(rest))))
        ours.seconds.append(time.perf_counter() - began)
        _ask(model, test, ours)
        for precision, found in thresholds.items():
            told = evaluate(model, test, model.sure_from(precision))
            found.append((told.coverage * len(test), (told.precision or 0) * told.coverage * len(test)))
            milliseconds.append(told.ms_per_text)
        _ask_bare(rest, test, theirs)
    tested = len(ours.truth)
    return {
        "folds": folds,
        "tested": tested,
        "trained_on": round(sum(trained) / len(trained)),
        "ours": {
            **ours.figures(),
            "ms_per_prediction": round(sum(milliseconds) / len(milliseconds), 2),
            "at_the_threshold": {
                str(precision): {
                    "coverage": round(sum(sure for sure, _ in found) / tested, 4),
                    "precision": round(sum(right for _, right in found) / max(sum(sure for sure, _ in found), 1), 4),
                }
                for precision, found in thresholds.items()
            },
        },
        "bare_pipeline": theirs.figures(),
    }


class _Tally:
    """What was right, and how sure: over all tested folds."""

    def __init__(self) -> None:
        self.truth: list[str] = []
        self.guesses: list[str] = []
        self.seconds_best: list[str] = []
        self.leads: list[float] = []
        self.seconds: list[float] = []

    def note(self, truth: str, first: str, second: str, lead: float) -> None:
        self.truth.append(truth)
        self.guesses.append(first)
        self.seconds_best.append(second)
        self.leads.append(lead)

    def figures(self) -> dict[str, Any]:
        """Shares, and seconds of one training."""
        truth, guesses = np.array(self.truth), np.array(self.guesses)
        right = truth == guesses
        return {
            "accuracy": round(float(right.mean()), 4),
            "macro_f1": round(float(f1_score(truth, guesses, average="macro")), 4),
            "top2": round(float((right | (truth == np.array(self.seconds_best))).mean()), 4),
            "measured_coverage": {str(p): round(self._coverage(right, p), 4) for p in PRECISIONS},
            "seconds_to_train": round(sum(self.seconds) / len(self.seconds), 1),
        }

    def _coverage(self, right: Any, precision: float) -> float:
        order = np.argsort(-np.array(self.leads), kind="stable")
        shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
        enough = np.flatnonzero(shares >= precision)
        return float((enough[-1] + 1) / len(order)) if len(enough) else 0.0


def _folds(whole: Sequence[Example]) -> dict[str, int]:
    groups = sorted({each.group for each in whole})
    random.Random(SEED).shuffle(groups)  # noqa: S311
    return {group: number % FOLDS for number, group in enumerate(groups)}


def _ask(model: LearnedModel, test: Sequence[Example], tally: _Tally) -> None:
    for each in test:
        first, second, *_rest = model.predict(each.text, each.title)
        tally.note(each.label, first.label, second.label, first.score - second.score)


def _ask_bare(rest: Sequence[Example], test: Sequence[Example], tally: _Tally) -> None:
    began = time.perf_counter()
    texts = TfidfVectorizer(analyzer="char", ngram_range=(1, 2))
    machine = LinearSVC(C=1.0, random_state=0)
    machine.fit(texts.fit_transform([_plain(each) for each in rest]), [each.label for each in rest])
    tally.seconds.append(time.perf_counter() - began)
    scores = machine.decision_function(texts.transform([_plain(each) for each in test]))
    for each, row in zip(test, scores, strict=True):
        second, first = np.argsort(row)[-2:]
        tally.note(each.label, machine.classes_[first], machine.classes_[second], float(row[first] - row[second]))


def _plain(example: Example) -> str:
    return f"{example.title}。{example.text}" if example.title else example.text


if __name__ == "__main__":
    main()
