"""What nobody gets to see: a confidential submitter, a ticket's own subjects their ticket, a handler the verdict's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from tests.api.conftest import CallAs
from tests.support.county import County
from tests.support.journey import Journey

NAME, MAIL, PHONE = "Marker Ypsilon Quixote", "marker-ypsilon@mail.invalid", "13900001234"
STAFF = ("hw", "hw2", "lw", "hr", "ha", "la", "dp1", "d", "su", "ad", "lp", "lr", "au", "adm", "s2", "x")


@pytest.fixture
def journey(county: County) -> Journey:
    return Journey(county)


@pytest.fixture
def whisperer(county: County) -> str:
    """A submitter whose every mark can be looked for."""
    county.add_person("whisper-ypsilon", "submitter@village")
    with transaction() as session:
        account = session.get_one(Account, county.accounts["whisper-ypsilon"].id)
        account.name, account.email, account.phone = NAME, MAIL, PHONE
    return "whisper-ypsilon"


def _everything(call_as: CallAs, login: str, references: list[str]) -> str:
    """All that a person can get of these tickets and beside them, as one text."""
    caller = call_as(login)
    parts = [caller.get("/tickets", sort=sort, limit=200) for sort in ("due", "-created")]
    parts += [caller.get("/tickets", q=word) for word in ("lamp", "ypsilon", NAME.split()[0])]
    parts += [caller.get(path) for path in ("/units", "/categories", "/me", "/notifications")]
    for reference in references:
        parts += [caller.get(f"/tickets/{reference}{end}") for end in ("", "/timeline", "/requests", "/clocks")]
        parts.append(caller.act(reference, "comment", text="A word"))
        parts.append(caller.act(reference, "note", text="A word", version=1))
    return "\n".join(f"{part.headers} {part.get_data(as_text=True)}" for part in parts)


def test_staff_never_get_more_of_a_confidential_submitter_than_alias_and_town(
    call_as: CallAs, journey: Journey, whisperer: str
) -> None:
    fields: dict[str, Any] = {"by": whisperer, "privacy": "confidential", "area": "village"}
    loud = journey.submit(whisperer, "A lamp that may be spoken of", privacy="named")
    references = [
        journey.to("in_progress", assist=True, **fields),
        journey.submit(whisperer, privacy="confidential", area="village"),
    ]
    journey.act(references[0], "ask_submitter", "hw", text="Which lamp?")
    journey.act(references[0], "answer", whisperer, text="The third lamp")
    journey.act(references[0], "answer_leg", "hr", text="Seen")
    journey.act(references[0], "resolve", "hw", outcome="partly", text="Half done")
    journey.act(references[0], "dispute", whisperer, reason="It is dark still")
    journey.act(references[1], "decline", "dp1", reason_code="legal_procedure", instead="Please ask the court")
    account = journey.county.accounts[whisperer]
    markers = (NAME, MAIL, PHONE, whisperer, f'"account_id":{account.id}')
    for login in STAFF:
        text = _everything(call_as, login, references)
        if login in ("d", "dp1", "su", "lr", "ad", "lp"):
            assert NAME in text, f"{login} sees the named ticket {loud}, so that the search below means something"
        protected = "\n".join(line for line in text.replace("},{", "},\n{").splitlines() if loud not in line)
        for marker in markers:
            assert marker not in protected, (login, marker)


def test_staff_see_alias_and_county_where_few_could_have_written(call_as: CallAs, journey: Journey) -> None:
    reference = journey.submit("s", privacy="confidential")
    shown = call_as("d").get(f"/tickets/{reference}").get_json()["submitter"]
    assert set(shown) == {"alias", "town"}
    assert shown["town"] == "root"
    for number in range(4):
        journey.county.add_person(f"neighbour{number}", "submitter@village")
    later = journey.submit("s", privacy="confidential")
    again = call_as("d").get(f"/tickets/{later}").get_json()["submitter"]
    assert again["town"] == "town"
    assert again["alias"] != shown["alias"]
    actors = [item["actor"] for item in call_as("d").get(f"/tickets/{later}/timeline").get_json()["items"]]
    assert actors[0]["alias"] == again["alias"]
    assert actors[0]["name"] is actors[0]["unit"] is None


def test_named_submitter_is_known_by_login_and_name(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    assert call_as("hw").get(f"/tickets/{reference}").get_json()["submitter"] == {"login": "s", "name": "Person s"}


def test_subjects_of_a_ticket_and_their_units_never_meet_it(call_as: CallAs, journey: Journey) -> None:
    journey.county.add_person("boss", "leader@p1", "handler@a")
    about_unit = journey.submit(text="The lamp office is rude", about=["a"])
    about_person = journey.submit(text="The lamp man is rude", about=["boss"])
    plain = journey.submit(text="A lamp is broken")
    for login, hidden in (
        ("ha", {about_unit}),
        ("la", {about_unit}),
        ("boss", {about_unit, about_person}),
        ("lp", {about_person}),
    ):
        caller = call_as(login)
        for reference in hidden:
            for end in ("", "/timeline", "/requests", "/clocks"):
                assert caller.get(f"/tickets/{reference}{end}").status_code == 404, (login, end)
            assert caller.act(reference, "note", text="Mine").status_code == 404
            assert caller.get("/tickets", q=reference).get_json()["items"] == []
        found = {item["reference"] for item in caller.get("/tickets", q="lamp", limit=200).get_json()["items"]}
        assert not found & hidden, login
    assert plain in {item["reference"] for item in call_as("lp").get("/tickets").get_json()["items"]}
    own = call_as("s").get(f"/tickets/{about_unit}")
    assert own.status_code == 200


def test_whoever_works_on_it_sees_that_it_was_confirmed_and_no_more(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("closed.confirmed")
    for login in ("hw", "lw"):
        caller = call_as(login)
        seen = [caller.get(f"/tickets/{reference}{end}") for end in ("", "/timeline", "/requests")]
        text = "\n".join(each.get_data(as_text=True) for each in seen)
        for marker in ("A fine bright lamp", '"rating"', '"pressed"', '"comment":'):
            assert marker not in text, (login, marker)
        last = seen[1].get_json()["items"][-1]
        assert (last["action"], last["text"], last["facts"]) == ("confirm", None, {})


def test_submitter_sees_every_step_but_no_note_and_no_internal_word(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress", assist=True)
    journey.act(reference, "note", "hw", text="Between ourselves only")
    journey.act(reference, "answer_leg", "hr", text="For the lead alone")
    journey.act(reference, "set_urgency", "dp1", urgency="complex", reason="Long work, quietly said")
    journey.act(reference, "transfer", "dp1", unit="roads", reason="It is theirs")
    items = call_as("s").get(f"/tickets/{reference}/timeline").get_json()["items"]
    text = json.dumps(items)
    for secret in ("Between ourselves", "For the lead alone", "quietly said"):
        assert secret not in text
    assert [item["action"] for item in items] == [
        "submit", "dispatch", "acknowledge", "answer_leg", "set_urgency", "transfer",
    ]  # fmt: skip
    moved = items[-1]
    assert moved["text"] == "It is theirs"
    assert moved["facts"] == {"unit": "roads", "from_unit": "water"}
    assert moved["actor"] == {
        "role": "dispatcher", "unit": "p1", "name": "Person dp1", "alias": None, "system": False,
    }  # fmt: skip
    requests = call_as("s").get(f"/tickets/{reference}/requests").get_json()["items"]
    assert [(r["kind"], r["state"], r["reason"], r["wanted"]) for r in requests] == [
        ("lower_urgency", "pending", None, {})
    ]
    staff = json.dumps(call_as("hr").get(f"/tickets/{reference}/timeline").get_json())
    for said in ("Between ourselves", "For the lead alone", "quietly said"):
        assert said in staff


def test_moved_person_sees_at_the_next_call_what_the_new_unit_sees(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("in_progress")
    journey.county.add_person("mover", "handler@water")
    mover = call_as("mover")
    assert mover.get(f"/tickets/{reference}").status_code == 200
    with transaction() as session:
        session.get_one(Account, journey.county.accounts["mover"].id).grants[0].unit_id = journey.county.units["b"].id
    assert mover.get(f"/tickets/{reference}").status_code == 404
    assert mover.get("/tickets").get_json()["items"] == []


def test_moved_person_gets_no_ticket_again_with_an_old_key(call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("dispatched")
    journey.county.add_person("mover", "handler@water")
    mover, key = call_as("mover"), {"Idempotency-Key": "before-the-move"}
    first = mover.post(f"/tickets/{reference}/acknowledge", {}, headers=key)
    assert mover.post(f"/tickets/{reference}/acknowledge", {}, headers=key).get_json() == first.get_json()
    with transaction() as session:
        session.get_one(Account, journey.county.accounts["mover"].id).grants[0].unit_id = journey.county.units["b"].id
    again = mover.post(f"/tickets/{reference}/acknowledge", {}, headers=key)
    assert again.status_code == 200
    assert set(again.get_json()) == {"reference", "status", "channel", "version"}


def test_typist_who_does_not_see_it_is_told_that_it_is_on_behalf(call_as: CallAs, journey: Journey) -> None:
    made = call_as("hw").submit("A lamp for him", on_behalf_of={"login": "s2"}, area="village")
    assert made["channel"] == "on_behalf"
    assert "text" not in made
    assert call_as("hw").get(f"/tickets/{made['reference']}").status_code == 404


def test_typist_on_behalf_can_never_confirm(call_as: CallAs, journey: Journey) -> None:
    made = call_as("dp1").submit("A lamp for him", on_behalf_of={"login": "s2"}, area="village")
    reference = made["reference"]
    assert made["channel"] == "on_behalf"
    journey.act(reference, "dispatch", "dp1", lead="water")
    journey.act(reference, "acknowledge", "hw")
    journey.act(reference, "resolve", "hw", outcome="solved", text="A new lamp")
    assert call_as("dp1").act(reference, "confirm", verdict="solved").status_code == 403
    assert call_as("s").act(reference, "confirm", verdict="solved").status_code == 404
    assert call_as("s2").act(reference, "confirm", verdict="solved").get_json()["closure_reason"] == "confirmed"


def test_typist_cannot_write_on_their_own_behalf(call_as: CallAs, journey: Journey) -> None:
    journey.county.add_person("both", "submitter@village", "handler@water")
    refused = call_as("both").post("/tickets", {"text": "A lamp for me", "on_behalf_of": {"login": "both"}})
    assert (refused.status_code, set(refused.get_json()["errors"])) == (422, {"on_behalf_of.login"})


@pytest.mark.parametrize("rating", [0, 6, 4.5, "5", [5], True, 10**30])
def test_rating_outside_one_to_five_is_refused_and_named(rating: Any, call_as: CallAs, journey: Journey) -> None:
    reference = journey.to("resolved")
    refused = call_as("s").act(reference, "confirm", verdict="solved", rating=rating)
    assert (refused.status_code, set(refused.get_json()["errors"])) == (422, {"rating"})
    assert journey.ticket(reference).status == "resolved"
