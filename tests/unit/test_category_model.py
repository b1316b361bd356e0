"""The category model: what it is trained to is what pure Python predicts, what it is sure of, and which bytes it refuses."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.routing import measure
from feedback.routing.evaluation import evaluate, macro_f1
from feedback.routing.examples import Example, conflicting
from feedback.routing.features import MOST_LETTERS, count_features, join_tokens, key_of, prepared, spans
from feedback.routing.learned import LearnedModel
from feedback.routing.model_file import MAGIC, UnfitModel, pack, unpack
from feedback.routing.training import count, fit, train
from feedback.settings import ROOT
from tests.support.labelled import made_examples


@pytest.fixture(scope="module")
def raw() -> bytes:
    return pack(train(made_examples(400)))


@pytest.fixture(scope="module")
def model(raw: bytes) -> LearnedModel:
    return LearnedModel(unpack(raw))


def test_features_are_characters_their_pairs_and_whole_words() -> None:
    assert count_features("停水 Ａbc停") == count_features("停水 abc停")
    found = count_features("停水abc 停, 12")
    assert found == {key_of("停"): 2, key_of("水"): 1, key_of("停水"): 1, key_of("abc"): 1}
    assert count_features("", "水")[key_of("水")] > 1
    text = prepared("停水 café 😀x")
    assert [text[a:b] for a, b in spans(text)] == ["停", "停水", "水", "café", "x"]


def test_cut_words_are_put_together_and_latin_words_stay_apart() -> None:
    assert join_tokens("停车 A1 区 KTV abc  好") == "停车A1区KTV abc好"


def test_pure_python_scores_as_scikit_learn_does(model: LearnedModel) -> None:
    examples = made_examples(400)
    counted = count([*examples, *made_examples(40, seed=2)])
    fitted = fit(counted, np.arange(400))
    expected = fitted.scores(counted.counts[400:])
    for example, row in zip(made_examples(40, seed=2), expected, strict=True):
        assert model.scores(example.text, example.title) == pytest.approx(row, abs=1e-4)
        assert model.predict(example.text, example.title)[0].label == counted.labels[int(row.argmax())]


def test_two_labels_and_a_title_alone_are_learned() -> None:
    examples = [each for each in made_examples(200) if each.label in ("water", "roads")]
    model = LearnedModel(unpack(pack(train([*examples, Example("water", "", "水表")]))))
    assert model.predict("", "水管漏水")[0].label == "water"
    assert model.predict("路灯")[0].label == "roads"


def test_shares_sum_to_one_at_most_and_the_first_is_the_largest(model: LearnedModel) -> None:
    for example in made_examples(60, seed=3):
        shares = [each.share for each in model.predict(example.text)]
        assert shares == sorted(shares, reverse=True)
        assert 0.5 < sum(shares) <= 1.000001


def test_threshold_keeps_its_precision_on_new_texts_and_a_handful_proves_nothing(model: LearnedModel) -> None:
    threshold = model.sure_from(0.95)
    told = evaluate(model, made_examples(400, seed=4), threshold)
    assert told.coverage > 0.5
    assert told.precision is not None
    assert told.precision >= 0.93
    stricter = model.sure_from(0.99)
    assert stricter is None or threshold is None or stricter >= threshold
    few = LearnedModel(unpack(pack(train(made_examples(40)))))
    assert few.sure_from(0.5) is None


def test_words_that_spoke_are_parts_of_the_text(model: LearnedModel) -> None:
    text = "我们村自来水管漏水，噪音不大"
    words = model.words_for("water", text)
    assert words
    assert all(word in text for word in words)
    assert any("水" in word for word in words)
    assert model.words_for("no such label", text) == ()


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "水", "ok", "路灯 and 水管 и вода", "x" * 30_000, "12 34"])
def test_strange_texts_get_an_answer_or_none(model: LearnedModel, text: str) -> None:
    assert all(0 <= each.share <= 1 for each in model.predict(text, text[:50]))


def test_ten_thousand_words_cost_no_more_than_their_beginning(model: LearnedModel) -> None:
    text = "水管漏水 " * 10_000
    assert model.predict(text) == model.predict(text[:MOST_LETTERS])


def sealed(body: bytes) -> bytes:
    return body + hashlib.sha256(body).digest()


def with_header(raw: bytes, **changes: object) -> bytes:
    start = len(MAGIC) + 4
    length = int.from_bytes(raw[len(MAGIC) : start], "little")
    header = json.dumps(json.loads(raw[start : start + length]) | changes).encode()
    return sealed(MAGIC + len(header).to_bytes(4, "little") + header + raw[start + length : -32])


def test_cut_altered_or_foreign_bytes_are_refused(raw: bytes) -> None:
    assert unpack(with_header(raw)).labels == unpack(raw).labels
    flipped = bytearray(raw)
    flipped[len(raw) // 2] ^= 1
    for bad in (
        b"",
        raw[:-1],
        raw[: len(raw) // 2],
        bytes(flipped),
        b"\x80\x04" + raw,
        sealed(raw[:-40]),
        sealed(MAGIC),
        sealed(MAGIC + b"\xff\xff\xff\xff"),
        with_header(raw, features=0),
        with_header(raw, labels=["one"]),
        with_header(raw, labels=["a", "a", "b", "c"]),
        with_header(raw, keys=-1),
        with_header(raw, slope=float("nan")),
        with_header(raw, figures=[]),
    ):
        with pytest.raises(UnfitModel):
            unpack(bad)


def test_web_and_worker_load_no_library_for_numbers() -> None:
    asked = (
        "import sys, feedback.factory, feedback.jobs.tasks; print(*{'numpy', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run((sys.executable, "-c", asked), capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_real_messages_are_found_better_than_by_a_bare_pipeline() -> None:
    folder = os.environ.get("FEEDBACK_DATA_DIR")
    if not folder:
        pytest.skip("FEEDBACK_DATA_DIR is not set: the messages to measure on are not here")
    told = measure(Path(folder), folds=2)
    ours, bare = told["ours"], told["bare_pipeline"]
    assert ours["accuracy"] > bare["accuracy"] + 0.005
    assert ours["measured_coverage"]["0.95"] > bare["measured_coverage"]["0.95"] + 0.01
    assert ours["at_the_threshold"]["0.95"]["precision"] > 0.94


def test_conflicting_labels_of_one_text_are_found() -> None:
    there = [Example("a", "停水了"), Example("b", "停水了 "), Example("a", "路灯"), Example("a", "路灯")]
    assert conflicting(there) == [("a", "b")]


def test_macro_f1_counts_every_label_the_same() -> None:
    assert macro_f1(["a", "a", "a", "b"], ["a", "a", "a", "a"]) == pytest.approx((6 / 7 + 0) / 2)
    assert macro_f1(["a", "b"], ["a", ""]) == pytest.approx(0.5)
