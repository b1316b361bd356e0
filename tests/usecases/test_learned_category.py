"""The learned category in the decision: it helps where keywords name none or several, and never where it is not sure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedback.dispatch.learning import labelled_tickets, learning_state, retrain_if_due, train_on_tickets
from feedback.kernel.actor import SYSTEM
from feedback.kernel.db import db
from feedback.kernel.errors import Forbidden, Invalid
from feedback.kernel.site import put_setting
from feedback.kernel.transaction import transaction
from feedback.reading.timeline import list_timeline
from feedback.routing.decision import RoutingDecision, decide_route
from feedback.routing.learning import roll_back, train_model
from feedback.routing.models import Category
from feedback.routing.queries import propose_routes
from feedback.routing.served_model import current_model
from tests.support.county import START, County
from tests.support.labelled import made_examples, put_in_force
from tests.support.statements import counted_statements
from tests.support.story import Story

SUPPLY = "自来水 停水 水压 水表"
"""Words of one label that are no keywords of the catalogue."""


@pytest.fixture
def taught(any_county: County) -> County:
    put_in_force(made_examples(300), START)
    return any_county


@pytest.fixture
def taught_here(county: County) -> County:
    put_in_force(made_examples(300), START)
    return county


def route(county: County, text: str, **more: Any) -> RoutingDecision:
    asked: dict[str, Any] = {"category": None, "kind": None, "is_about": False, "about_unit_ids": frozenset()}
    return decide_route(db.session(), text=text, area=county.units["village"], now=START, **{**asked, **more})


def test_sure_model_names_the_category_and_the_catalogue_the_unit(taught: County) -> None:
    decision = route(taught, SUPPLY)
    assert (decision.reason, decision.lead_id) == ("sure", taught.units["water"].id)
    told = decision.facts()["model"]
    assert (told["version"], told["is_sure"], told["category_id"]) == (1, True, taught.categories["water"].id)
    assert told["share"] > 0.8
    assert told["words"]
    assert all(word in SUPPLY for word in told["words"])


def test_unsure_model_leaves_it_to_the_dispatcher_with_shares_and_words(taught_here: County) -> None:
    with transaction() as session:
        put_setting(session, "dispatch_precision", 99, now=START)
    decision = route(taught_here, "自来水和红绿灯，希望处理")
    assert (decision.reason, decision.lead_id) == ("model_unsure", None)
    assert {p.category_id for p in decision.proposals} <= {taught_here.categories[c].id for c in ("water", "roads")}
    first = decision.proposals[0]
    assert first.share is not None
    assert 0 < first.share < 1
    assert first.words
    assert decision.facts()["proposals"][0]["share"] == round(first.share, 3)


def test_nothing_known_of_the_text_is_no_category(taught_here: County) -> None:
    for text in ("", "😀", "zzz qqq"):
        decision = route(taught_here, text)
        assert (decision.reason, decision.proposals) == ("no_category", ())


def test_label_that_is_no_category_is_never_proposed(taught_here: County) -> None:
    decision = route(taught_here, "学校 教师 招生 校车")
    assert decision.lead_id is None
    assert decision.learned is not None
    assert not decision.learned.is_sure
    names = {taught_here.categories[c].id for c in ("water", "roads")}
    assert all(p.category_id in names for p in decision.proposals)


def test_label_of_a_renamed_category_stands_for_its_successor(taught_here: County) -> None:
    taught_here.add_catalogue("supply", "b")
    with transaction() as session:
        old = session.get_one(Category, taught_here.categories["water"].id)
        old.succeeded_by_id = taught_here.categories["supply"].id
    assert route(taught_here, SUPPLY).lead_id == taught_here.units["b"].id


def test_keywords_of_one_category_stand_against_the_model(taught_here: County) -> None:
    decision = route(taught_here, f"{SUPPLY} 路灯")
    assert (decision.reason, decision.lead_id) == ("sure", taught_here.units["roads"].id)
    assert decision.learned is None


def test_sure_model_chooses_among_categories_that_keywords_name_and_no_other(taught_here: County) -> None:
    decision = route(taught_here, f"{SUPPLY} 自来水 停水 水压 水管 道路")
    assert (decision.reason, decision.lead_id) == ("sure", taught_here.units["water"].id)
    taught_here.add_catalogue("works/a", "a", "招生")
    taught_here.add_catalogue("works/b", "b", "校车")
    decision = route(taught_here, f"{SUPPLY} 自来水 停水 水压 招生 校车")
    assert (decision.reason, decision.lead_id) == ("several_categories", None)


@pytest.mark.parametrize(
    ("more", "reason"), [({"kind": "burden_lead"}, "burden_lead"), ({"is_about": True}, "about_someone")]
)
def test_what_a_person_must_read_is_never_dispatched_by_the_model(
    taught_here: County, more: dict[str, Any], reason: str
) -> None:
    decision = route(taught_here, SUPPLY, **more)
    assert (decision.reason, decision.lead_id) == (reason, None)
    assert decision.proposals[0].lead_id == taught_here.units["water"].id


def test_precision_of_the_site_moves_the_threshold(taught_here: County) -> None:
    before = current_model(db.session())
    with transaction() as session:
        put_setting(session, "dispatch_precision", 99, now=START)
    after = current_model(db.session())
    assert before is not None
    assert after is not None
    assert before.threshold is not None
    assert after.threshold is None or after.threshold > before.threshold


def test_typed_text_gets_the_learned_category_and_asks_nothing_twice(taught_here: County) -> None:
    village = taught_here.units["village"]
    first = propose_routes(db.session(), text=SUPPLY, area=village, now=START)
    assert [(found.category.path, found.lead and found.lead.code) for found in first] == [("water", "water")]
    assert first[0].share is not None
    with counted_statements() as sent:
        propose_routes(db.session(), text=SUPPLY, area=village, now=START)
    assert sent == []


def test_ticket_says_to_staff_why_it_went_there_and_keeps_the_words_from_others(taught: County) -> None:
    story = Story(taught).submit(text=SUPPLY)
    assert story.state == "dispatched"
    assert story.ticket.category_id == taught.categories["water"].id
    told = [
        next(
            item
            for item in list_timeline(db.session(), story.ticket, taught.actor(login), START)
            if item.action == "dispatch"
        )
        for login in ("hw", "s")
    ]
    assert told[0].facts["routing"]["model"]["words"]
    assert told[1].facts["routing"]["model"] == {**told[0].facts["routing"]["model"], "words": []}
    assert told[1].facts["routing"]["row_version"] == 1


def test_dispatchers_and_submitters_teach_and_the_model_alone_does_not(taught_here: County) -> None:
    Story(taught_here).submit(text=SUPPLY)
    assert labelled_tickets(db.session()).total == 0
    corrected = Story(taught_here).submit(text=SUPPLY + " 小区")
    corrected.act("dp1", "reclassify", category="roads", reason="It is about the road.")
    sent = (
        Story(taught_here)
        .submit(text="操场边的灯不亮", title="灯", kind="burden_lead")
        .act("dp1", "dispatch", lead="roads", category="roads")
    )
    confirmed = Story(taught_here).resolved().act("s", "confirm", verdict="solved")
    found = labelled_tickets(db.session())
    assert sorted((each.label, each.text[:5], each.title) for each in (*found.learn, *found.held)) == sorted(
        [
            ("roads", SUPPLY[:5], ""),
            ("roads", "操场边的灯", "灯"),
            ("water", "村口水管漏", ""),
        ]
    )
    assert sent.state == "dispatched"
    assert confirmed.state == "closed.confirmed"
    state = learning_state(db.session())
    assert (state.labelled, state.new, state.missing) == (3, 3, 97)


def test_training_waits_for_enough_labels_and_is_an_admins(taught_here: County) -> None:
    with pytest.raises(Invalid, match="needs 100 more"):
        train_on_tickets(actor=SYSTEM, now=START)
    with pytest.raises(Forbidden):
        train_on_tickets(actor=taught_here.actor("d"), now=START)
    with pytest.raises(Forbidden):
        roll_back(None, actor=taught_here.actor("d"), now=START)
    assert retrain_if_due(actor=SYSTEM, now=START + timedelta(days=1)) is None


def test_new_model_that_is_worse_on_held_back_tickets_does_not_take_over(taught_here: County) -> None:
    names = sorted({each.label for each in made_examples(8)})
    turned = {label: names[at - 1] for at, label in enumerate(names)}
    held = made_examples(60, seed=9)
    worse = train_model(made_examples(80, labels=turned), holdout=held, actor=SYSTEM, now=START + timedelta(days=1))
    assert (worse.version, worse.is_in_force, worse.held) == (2, False, 60)
    assert worse.before is not None
    assert worse.after is not None
    assert worse.after < worse.before
    served = current_model(db.session())
    assert served is not None
    assert served.version == 1
    assert roll_back(2, actor=SYSTEM, now=START + timedelta(days=2)) == 2
    served = current_model(db.session())
    assert served is not None
    assert served.version == 2
