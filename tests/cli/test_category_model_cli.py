"""The category model from the command line: trained on files and on tickets, evaluated, explained, rolled back, refused."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from feedback.kernel.audit import AuditEntry
from feedback.kernel.db import db
from feedback.kernel.transaction import transaction
from feedback.routing.examples import Example
from feedback.routing.models import CategoryModel
from tests.support.county import START, County
from tests.support.labelled import made_examples, put_in_force


def write(path: Path, examples: Sequence[Example], *, tokens: bool = False, more: Sequence[str] = ()) -> Path:
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    rows.writerow(["id", "group_id", "label", "tokens" if tokens else "text", "title"])
    rows.writerows([n, each.group, each.label, each.text, each.title] for n, each in enumerate(examples))
    file.writelines(more)
    raw = file.getvalue().encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def run(app: Flask, *arguments: str) -> Result:
    result = app.test_cli_runner().invoke(args=["routing", *arguments])
    db.session.remove()
    return result


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_admin_trains_on_files_evaluates_and_goes_back(app: Flask, county: County, tmp_path: Path) -> None:
    first = write(
        tmp_path / "a.csv",
        [*made_examples(120), Example("water", "水管漏水三天了"), Example("roads", "水管漏水三天了")],
        more=[",,,nothing,\n", "1,2,water,,\n"],
    )
    packed = write(tmp_path / "b.csv.gz", made_examples(160, seed=5), tokens=True)
    put_in_force(made_examples(40), START)
    told = document(run(app, "train", str(first), str(packed), "--json"))
    assert (told["version"], told["in_force"], told["examples"], told["conflicts"]) == (2, True, 282, 1)
    assert told["no_categories"] == ["noise", "schools"]
    assert [error["row"] for error in told["errors"]] == [124, 125]

    kept_back = write(tmp_path / "c.csv", [*made_examples(100, seed=6), Example("dogs", "狗叫")])
    figures = document(run(app, "evaluate", str(kept_back), "--precision", "0.9", "--json"))
    assert figures["accuracy"] > 0.85
    assert figures["unknown"] == 1
    assert figures["top2"] >= figures["accuracy"]
    assert figures["precision"] >= 0.85
    assert 0.3 < figures["coverage"] <= 1
    assert figures["ms_per_text"] < 50

    told = document(run(app, "explain", "夜间施工噪音扰民，自来水停水", "--json"))
    assert told["model"]["version"] == 2
    assert told["model"]["labels"][0]["share"] >= told["model"]["labels"][1]["share"]
    assert all(each["label"] != "noise" or each["words"] for each in told["model"]["labels"])

    assert "Version 1 is in force." in run(app, "rollback").output
    assert [each["version"] for each in document(run(app, "models", "--json")) if each["serves"]] == [1]
    assert "Version 2 is in force." in run(app, "rollback", "2").output
    assert run(app, "rollback", "2").exit_code == 1
    assert run(app, "rollback", "9").exit_code == 1
    actions = db.session().scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("category_model.")))
    assert list(actions) == ["category_model.trained", "category_model.rolled_back", "category_model.rolled_back"]


def test_cut_or_replaced_model_is_refused_and_the_last_good_one_serves(
    app: Flask, county: County, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2):
        assert put_in_force(made_examples(40), START + timedelta(days=number)) == number
    assert [each["serves"] for each in document(run(app, "models", "--json"))] == [True, False]
    with transaction() as session:
        row = session.get_one(CategoryModel, 2)
        row.packed = row.packed[:-1]
    state = document(run(app, "models", "--json"))
    assert [(each["version"], each["serves"], bool(each["refused"])) for each in state] == [
        (2, False, True),
        (1, True, False),
    ]
    assert "category model 2 refused" in caplog.text
    assert run(app, "rollback", "2").exit_code == 1
    with transaction() as session:
        session.get_one(CategoryModel, 1).packed = b"cos\nsystem\n(S'x'\ntR."
    assert document(run(app, "explain", "水管", "--json"))["model"] is None


def test_site_with_few_labels_says_how_many_it_needs(app: Flask, county: County, tmp_path: Path) -> None:
    result = run(app, "train")
    assert result.exit_code == 1
    assert "0 labelled tickets and needs 100 more" in result.output
    assert "none yet, keywords alone" in run(app, "explain", "水管").output
    assert run(app, "evaluate", str(write(tmp_path / "a.csv", made_examples(4)))).exit_code == 1
    for bad in ("label,text\n", "text\nx\n", "label,text\na,b\n"):
        (tmp_path / "bad.csv").write_text(bad, encoding="utf-8")
        result = run(app, "train", str(tmp_path / "bad.csv"))
        assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"label,text\n" * 100)[:-9])
    assert run(app, "train", str(tmp_path / "cut.csv.gz")).exit_code == 1
