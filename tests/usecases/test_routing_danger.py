"""Danger words raise the urgency and never lower it; the lists are the site's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from feedback.kernel import audit
from feedback.kernel.db import db
from feedback.kernel.site import get_setting, put_setting
from feedback.kernel.transaction import transaction
from feedback.routing.danger import install_danger_words, raise_urgency
from tests.support.county import START


@pytest.fixture(autouse=True)
def _installed(app: Flask) -> None:
    with transaction() as session:
        install_danger_words(session, START)


@pytest.mark.parametrize(
    ("text", "given", "raised"),
    [
        ("桥墩坍塌", "normal", "critical"),
        ("There is a GAS LEAK in the school", "normal", "critical"),
        ("全村停水两天", "normal", "urgent"),
        ("No water since Monday", "complex", "urgent"),
        ("全村停水, 有人中毒", "normal", "critical"),
        ("全村停水", "critical", "critical"),
        ("桥墩坍塌", "urgent", "critical"),
        ("路灯坏了", "normal", "normal"),
        ("路灯坏了", "urgent", "urgent"),
        ("桥墩坍塌", "critical", "critical"),
    ],
)
def test_danger_word_raises_and_never_lowers(text: str, given: str, raised: str) -> None:
    urgency, words = raise_urgency(db.session(), text, given)
    assert urgency == raised
    assert bool(words) == (given != raised)


def test_admin_edits_the_list_and_the_next_text_is_read_by_it() -> None:
    with transaction() as session:
        put_setting(session, "danger_words_critical", ["蜂群"], now=START)
    assert raise_urgency(db.session(), "桥墩坍塌", "normal") == ("normal", ())
    assert raise_urgency(db.session(), "村口有蜂群", "normal") == ("critical", ("蜂群",))


def test_installing_again_leaves_what_an_admin_set_and_writes_no_second_entry() -> None:
    with transaction() as session:
        put_setting(session, "danger_words_urgent", ["蜂群"], now=START)
    with transaction() as session:
        before = audit.count_entries(session)
        install_danger_words(session, START + timedelta(days=1))
        assert audit.count_entries(session) == before
    assert get_setting(db.session(), "danger_words_urgent") == ["蜂群"]
    assert "坍塌" in get_setting(db.session(), "danger_words_critical")
