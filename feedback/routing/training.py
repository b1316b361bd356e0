"""Training of a category model, in a process of its own: `python -m feedback.routing.training`, examples in, a model out.

The only file that loads scikit-learn and numpy; nobody imports it but the bench and tests. A feature's weight in a text is
how often it occurs, times how rare it is, times how far the labels of the texts that hold it are from all labels; a linear
SVM for each label learns on that, with rare labels counting as much as frequent ones. docs/routing.md has what was tried.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from feedback.kernel.apart import limit_self
from feedback.routing.examples import Example, group_of, read_lines
from feedback.routing.features import count_words, key_of
from feedback.routing.model_file import ModelParts, pack

FOLDS = 5
FEWEST_TEXTS = 2
"""Texts that hold a feature at least."""
MOST_FEATURES = 60_000
MOST_WEIGHTS = 1_500_000
"""Features times labels: 4 bytes each in every process that predicts."""
LEAST_DISTANCE = 0.01
C = 1.0
FEWEST_WHOLE = 300
"""Texts as people write them that a calibration looks at alone; with fewer, at all."""
AT_ONCE = 2
MEMORY_BYTES = 6_000_000_000
CPU_SECONDS = 1200

Floats = np.ndarray[Any, np.dtype[np.float64]]
Numbers = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Fitted:
    """A linear model over the chosen features: their keys, what scales each, and weights of labels by features."""

    keys: Floats
    columns: Numbers
    scales: Floats
    weights: Floats
    biases: Floats

    def scores(self, counts: sparse.csr_matrix) -> Floats:
        """The score of each label for each row of counts."""
        told: Floats = _scaled(counts[:, self.columns], self.scales) @ self.weights.T + self.biases
        return told


@dataclass(frozen=True)
class Counted:
    """Examples as counts of features: a row for each, a column for each key; labels as numbers."""

    counts: sparse.csr_matrix
    keys: Floats
    labels: tuple[str, ...]
    truth: Numbers


def count(examples: Sequence[Example]) -> Counted:
    """The examples as numbers."""
    places: dict[int, int] = {}
    known: dict[str, int] = {}
    columns: list[int] = []
    numbers: list[int] = []
    ends = [0]
    for example in examples:
        words = count_words(example.text, example.title)
        for word in words:
            if word not in known:
                known[word] = places.setdefault(key_of(word), len(places))
        columns.extend([known[word] for word in words])
        numbers.extend(words.values())
        ends.append(len(columns))
    shape = (len(examples), len(places))
    counts = sparse.csr_matrix((np.array(numbers, dtype=np.float64), columns, ends), shape=shape)
    counts.sum_duplicates()
    labels = tuple(sorted({example.label for example in examples}))
    at = {label: number for number, label in enumerate(labels)}
    truth = np.array([at[example.label] for example in examples], dtype=np.intp)
    return Counted(counts, np.fromiter(places, dtype=np.float64, count=len(places)), labels, truth)


def fit(counted: Counted, rows: Numbers) -> Fitted:
    """Learn from these rows."""
    counts, truth, width = counted.counts[rows], counted.truth[rows], len(counted.labels)
    there = sparse.csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape)
    in_texts = np.asarray(there.sum(axis=0)).ravel()
    by_label = sparse.csr_matrix((np.ones(len(rows)), (truth, np.arange(len(rows)))), shape=(width, len(rows)))
    share = np.bincount(truth, minlength=width) / len(rows)
    present = share > 0
    apart = _distances((by_label @ there).toarray()[present], share[present])
    most = min(MOST_FEATURES, MOST_WEIGHTS // width)
    columns = np.flatnonzero(in_texts >= FEWEST_TEXTS)
    if len(columns) > most:
        telling = in_texts[columns] * apart[columns]
        columns = np.sort(columns[np.argsort(-telling, kind="stable")[:most]])
    rare = np.log((1 + len(rows)) / (1 + in_texts[columns])) + 1
    scales = rare * np.sqrt(apart[columns] + LEAST_DISTANCE)
    machine = LinearSVC(C=C, class_weight="balanced", random_state=0, max_iter=3000)
    machine.fit(_scaled(counts[:, columns], scales), truth)
    weights, biases = np.zeros((width, len(columns))), np.full(width, -1.0)
    two = len(machine.classes_) == 2
    weights[machine.classes_] = np.vstack([-machine.coef_, machine.coef_]) if two else machine.coef_
    biases[machine.classes_] = np.hstack([-machine.intercept_, machine.intercept_]) if two else machine.intercept_
    return Fitted(counted.keys[columns], columns, scales, weights, biases)


def _distances(in_label: Floats, share: Floats) -> Floats:
    """How far the labels of the texts that hold a feature are from all labels (Kullback and Leibler), by feature."""
    softened: Floats = in_label + share[:, None] * len(share)
    part = softened / softened.sum(axis=0)
    told: Floats = (part * np.log(part / share[:, None])).sum(axis=0)
    return told


def _scaled(counts: sparse.csr_matrix, scales: Floats) -> sparse.csr_matrix:
    told = counts @ sparse.diags(scales)
    length = np.sqrt(np.asarray(told.multiply(told).sum(axis=1)).ravel())
    length[length == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / length) @ told)


def decide_unseen(counted: Counted, groups: Sequence[str]) -> Floats:
    """Scores for every row from models that have seen none of its group."""
    fold = np.array([zlib.crc32(group.encode()) % FOLDS for group in groups])
    scores = np.full((len(groups), len(counted.labels)), -1.0)

    def one(number: int) -> None:
        held, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if len(held) and len(set(counted.truth[rest])) > 1:
            scores[held] = fit(counted, rest).scores(counted.counts[held])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(FOLDS)))
    return scores


def train(examples: Sequence[Example]) -> ModelParts:
    """A calibrated model. ValueError where there are fewer than two labels."""
    began = time.monotonic()
    counted = count(examples)
    if len(counted.labels) < 2:
        raise ValueError("a model needs two labels at least")
    scores = decide_unseen(counted, [group_of(example) for example in examples])
    final = fit(counted, np.arange(len(examples)))
    whole = np.array([example.is_whole for example in examples])
    shown = whole if whole.sum() >= FEWEST_WHOLE else np.ones(len(examples), dtype=bool)
    calibration = _calibrated(scores[shown], counted.truth[shown])
    order = np.argsort(final.keys)
    return ModelParts(
        labels=counted.labels,
        keys=[int(key) for key in final.keys[order]],
        scales=final.scales[order].tolist(),
        weights=final.weights.T[order].ravel().tolist(),
        biases=final.biases.tolist(),
        margins=calibration.margins.tolist(),
        rights=bytes(calibration.rights.astype(np.uint8)),
        slope=calibration.slope,
        offset=calibration.offset,
        sharpness=calibration.sharpness,
        figures={
            "examples": len(examples),
            "labels": {label: int((counted.truth == i).sum()) for i, label in enumerate(counted.labels)},
            "features": len(final.keys),
            "unseen": {
                "examples": int(shown.sum()),
                "accuracy": round(float(calibration.rights.mean()), 4),
                "macro_f1": round(_macro_f1(counted.truth[shown], scores[shown]), 4),
            },
            "seconds": round(time.monotonic() - began, 1),
        },
    )


def _macro_f1(truth: Numbers, scores: Floats) -> float:
    return float(f1_score(truth, scores.argmax(axis=1), average="macro", zero_division=0))


@dataclass(frozen=True)
class _Calibration:
    margins: Floats
    rights: np.ndarray[Any, np.dtype[np.bool_]]
    slope: float
    offset: float
    sharpness: float


def _calibrated(scores: Floats, truth: Numbers) -> _Calibration:
    """What a margin is worth, from decisions on unseen texts; a right and a wrong one more keep it from certainty."""
    ranked: Floats = np.sort(scores, axis=1)
    margins = (ranked[:, -1] - ranked[:, -2]).astype(np.float32).astype(np.float64)
    rights = scores.argmax(axis=1) == truth
    seen = np.r_[margins, margins.mean(), margins.mean()][:, None]
    line = LogisticRegression(C=1e3).fit(seen, np.r_[rights, True, False])
    order = np.argsort(-margins, kind="stable")
    slope = max(float(line.coef_.ravel()[0]), 1e-3)
    return _Calibration(
        margins[order], rights[order], slope, float(line.intercept_[0]), _sharpness(scores, truth, rights)
    )


def _sharpness(scores: Floats, truth: Numbers, rights: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """The factor by which scores of the others become shares: the one that gives the right label most where the best failed."""
    wrong = scores[~rights].copy()
    if not len(wrong):
        return 4.0
    rows = np.arange(len(wrong))
    wrong[rows, wrong.argmax(axis=1)] = -np.inf
    tried = np.geomspace(0.5, 20, 24)
    loss = []
    for factor in tried:
        raised = np.exp(factor * (wrong - wrong.max(axis=1, keepdims=True)))
        part = (raised / raised.sum(axis=1, keepdims=True))[rows, truth[~rights]]
        loss.append(-np.log(part + 1e-9).mean())
    return float(tried[int(np.argmin(loss))])


def main() -> None:
    """Read examples as lines of JSON, write the model."""
    limit_self(CPU_SECONDS, MEMORY_BYTES)
    sys.stdout.buffer.write(pack(train(read_lines(sys.stdin.buffer.read()))))


if __name__ == "__main__":
    main()
