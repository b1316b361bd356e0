"""The hand-written matrix through the API: every allowed cell of an action that exists works, a sample of the others doesn't.

Real tickets in real states, called for by a person who stands to the ticket as the cell says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from feedback.api.openapi import SYSTEM_ACTIONS
from feedback.kernel.transaction import transaction
from feedback.people.models import Account
from feedback.tickets.actions import ACTIONS
from tests.api.conftest import CallAs
from tests.architecture.matrix import STATES, Cell, read_matrix
from tests.support.county import County
from tests.support.journey import REACHED, Journey

MATRIX = read_matrix()
NOT_REACHED = frozenset(STATES) - frozenset(REACHED) - {"new"}
ROLES = ("submitter", "handler", "unit_head", "dispatcher", "supervisor", "adjudicator", "leader", "auditor", "admin")
PEOPLE = {
    ("submitter", "own"): "s",
    ("submitter", "none"): "s2",
    ("handler", "lead"): "hw",
    ("handler", "assist"): "hr",
    ("handler", "past"): "ha",
    ("handler", "none"): "hb",
    ("unit_head", "lead"): "lw",
    ("unit_head", "assist"): "lr2",
    ("unit_head", "past"): "la",
    ("dispatcher", "office"): "dp1",
    ("dispatcher", "scope"): "d",
    ("dispatcher", "decider"): "d",
    ("supervisor", "scope"): "su",
    ("supervisor", "decider"): "su",
    ("adjudicator", "scope"): "ad",
    ("leader", "scope"): "lr",
    ("leader", "decider"): "lr",
    ("auditor", "none"): "au",
    ("admin", "none"): "adm",
}
FIELDS: dict[str, dict[str, Any]] = {
    "comment": {"text": "It is the third lamp"},
    "note": {"text": "Ask the electrician first"},
    "reclassify": {"kind": "question", "reason": "It asks something"},
    "set_urgency": {"urgency": "urgent", "reason": "Somebody fell"},
    "decline": {"reason_code": "legal_procedure", "instead": "Please ask the court"},
    "dispatch": {"lead": "water"},
    "assign": {"assignee": "hw2"},
    "acknowledge": {},
    "transfer": {"unit": "a", "reason": "It is theirs"},
    "ask_submitter": {"text": "Which lamp is it?"},
    "answer": {"text": "The one by the well"},
    "wake": {},
    "reply": {"text": "We come tomorrow"},
    "answer_leg": {"text": "The kerb is sound"},
    "add_leg": {"unit": "b", "task": "Look at the cable"},
    "drop_leg": {"unit": "roads", "reason": "No longer needed"},
    "resolve": {"outcome": "solved", "text": "A new lamp was put in"},
    "confirm": {"verdict": "solved", "rating": 4},
    "dispute": {"reason": "It is still dark"},
    "lapse": {},
    "unassign": {"leg": 1},
    "hand_over": {"leg": 1},
    "give_back": {"leg": 1},
    "reopen": {"reason": "It is dark again"},
    "join": {"into": "ZD-22222-22222"},
    "unjoin": {"reason": "It is another lamp"},
    "publish_summary": {"text": "A lamp is dark", "area": "village"},
    "withdraw_summary": {},
    "withdraw": {"reason": "No longer needed", "asked_to": False},
    "urge": {},
}
EXTENSION = {"reason": "The part must be ordered", "interim": "A lamp on a stand is there"}
NOTHING_WAITS = {("submitter", state) for state in STATES} | {(r, "dispatched") for r in ("handler", "unit_head")}
"""Where nobody can have asked for anything yet: a unit asks when it has signed, a submitter for nothing so far."""


MADE_BY = {
    "return": "request_return",
    "decline": "decline",
    "lower_urgency": "set_urgency",
    "extension": "request_extension",
    "suspension": "request_suspension",
    "exclusion": "request_exclusion",
    "appeal": "appeal",
}


def _plain(action: str) -> str:
    return action.split(":")[0]


def _exists(action: str) -> bool:
    """Whether today's code takes this action; a request can only be decided if one of its kind can be made."""
    name, _, rest = action.partition(":")
    return name in ACTIONS and (not rest or MADE_BY[rest.split(":")[0]] in ACTIONS)


def _is_possible(cell: Cell) -> bool:
    """Whether a ticket can stand so at all: a leg is open only after the dispatch, and the system calls no API."""
    if cell.role == "system" or cell.state in NOT_REACHED or cell.state == "new":
        return False
    before_dispatch = cell.state in ("submitted", "closed.declined", "closed.withdrawn")
    if cell.action == "withdraw_request" and (cell.role, cell.state) in NOTHING_WAITS:
        return False
    return not (before_dispatch and cell.relation in ("lead", "assist", "past"))


ALLOWED = [(cell, answer) for cell, answer in MATRIX.cells() if answer and _exists(cell.action) and _is_possible(cell)]
BY_ACTION = sorted({cell.action for cell, _answer in ALLOWED})


@pytest.fixture
def journey(county: County) -> Journey:
    county.add_person("lr2", "unit_head@roads")
    return Journey(county)


def _set_up(journey: Journey, cell: Cell) -> str:
    """A ticket in the cell's state, with whatever its relation and action need."""
    wants_assist = cell.relation == "assist" or cell.action == "drop_leg"
    if cell.action == "drop_leg" and cell.relation == "lead":
        reference = journey.to(cell.state)
        journey.act(reference, "add_leg", "hw", unit="roads", task="Look at the kerb")
        return reference
    _, _, rest = cell.action.partition(":")
    if cell.action == "withdraw_request" and cell.relation == "lead":
        return _with_extension(journey, cell.state, PEOPLE[cell.role, cell.relation])
    if rest.startswith("extension"):
        return _with_extension(journey, cell.state, "hw")
    reference = journey.to(cell.state, assist=wants_assist)
    if cell.action == "withdraw_summary":
        journey.act(reference, "publish_summary", "dp1", text="A lamp is dark")
    if cell.action == "withdraw_request":
        journey.act(reference, "set_urgency", "dp1", urgency="complex", reason="It needs long work")
    if rest.startswith("decline"):
        journey.act(reference, "decline", "dp1", reason_code="legal_procedure", instead="Please ask the court")
    elif rest.startswith("lower_urgency"):
        journey.act(reference, "set_urgency", "dp1", urgency="complex", reason="It needs long work")
    return reference


def _with_extension(journey: Journey, state: str, login: str) -> str:
    """A ticket on which more time was asked for while it was in work."""
    reference = journey.to("in_progress")
    journey.act(reference, "request_extension", login, due_at=_a_day_more(journey, reference), **EXTENSION)
    if state == "waiting_for_submitter":
        journey.act(reference, "ask_submitter", "hw", text="Which lamp is it?")
    return reference


def _a_day_more(journey: Journey, reference: str) -> str:
    due = journey.ticket(reference).due_at
    assert due is not None
    return (due + timedelta(days=1)).isoformat()


def _fields(journey: Journey, cell: Cell, reference: str) -> dict[str, Any]:
    action, _, rest = cell.action.partition(":")
    if action == "decide":
        decision = rest.split(":")[1]
        return {"request": journey.pending(reference), "decision": decision, "text": "Looked at with care"}
    if action == "join":
        return {"into": journey.submit_elder("s")}
    if action == "request_extension":
        return {**EXTENSION, "due_at": _a_day_more(journey, reference)}
    if action == "withdraw_request":
        return {"request": journey.pending(reference)}
    if action == "assign" and cell.relation == "assist":
        return {"assignee": "hr"}
    if action == "dispatch" and cell.relation == "none":
        return {"lead": "roads"}
    return FIELDS[action]


def _expected(cell: Cell, next_state: str, before: str) -> str:
    if next_state == "stay":
        return before
    return {"back": "in_progress", "before": "dispatched"}.get(next_state, next_state)


def _without_higher_deciders(county: County) -> None:
    """Leave the leader at the root as the only one who can decide."""
    with transaction() as session:
        for login in ("d", "d2", "su"):
            session.get_one(Account, county.accounts[login].id).is_active = False


@pytest.mark.parametrize("action", BY_ACTION)
def test_person_takes_every_step_that_the_matrix_allows(
    action: str, journey: Journey, county: County, call_as: CallAs
) -> None:
    cells = [(cell, answer) for cell, answer in ALLOWED if cell.action == action]
    ordered = sorted(cells, key=lambda each: (each[0].role, each[0].relation) == ("leader", "decider"))
    wrong = []
    for cell, answer in ordered:
        reference = _set_up(journey, cell)
        if (cell.role, cell.relation) == ("leader", "decider"):
            _without_higher_deciders(county)
        before = journey.ticket(reference)
        state, version = before.status, before.version
        caller = call_as(PEOPLE[cell.role, cell.relation])
        offered = caller.get(f"/tickets/{reference}").get_json().get("allowed_actions", [])
        response = caller.act(reference, _plain(action), **_fields(journey, cell, reference))
        after = journey.ticket(reference)
        now = f"{after.status}.{after.closure_reason}" if after.closure_reason else after.status
        expected = _expected(cell, answer.next, state)
        is_right = response.status_code == 200 and now == expected and after.version == version + 1
        if not is_right or _plain(action) not in offered:
            wrong.append(f"{cell}: {response.status_code}, {now} for {expected}, offered {offered}: {response.text}")
    assert not wrong, "\n".join(wrong)


def test_no_allowed_cell_is_left_out_without_a_reason() -> None:
    left_out = [
        cell
        for cell, answer in MATRIX.cells()
        if answer and _exists(cell.action) and (cell, answer) not in ALLOWED and cell.state != "new"
    ]
    assert all(
        cell.role == "system"
        or cell.state in NOT_REACHED
        or cell.relation in ("lead", "assist")
        or (cell.action == "withdraw_request" and (cell.role, cell.state) in NOTHING_WAITS)
        for cell in left_out
    )
    assert {_plain(cell.action) for cell, _ in ALLOWED} | SYSTEM_ACTIONS >= set(ACTIONS) - {"submit"}


def _refused() -> dict[tuple[str, str], list[Cell]]:
    """By action and role, every cell that the matrix refuses and in which somebody of the county can stand."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell, answer in MATRIX.cells():
        stands = (cell.role, cell.relation) in PEOPLE and cell.relation not in ("past", "decider")
        if answer is None and stands and _is_possible(cell):
            found.setdefault((_plain(cell.action), cell.role), []).append(cell)
    return found


def _refused_sample(refused: dict[tuple[str, str], list[Cell]], action: str) -> list[Cell]:
    """For each role two cells that the matrix refuses: where the role might be near it, and where it stands apart."""
    each = [refused[action, role] for role in ROLES if (action, role) in refused]
    return [cell for cells in each for cell in (cells[0], cells[-1])]


def test_person_is_refused_where_the_matrix_refuses_and_nothing_changes(journey: Journey, call_as: CallAs) -> None:
    before_dispatch = ("submitted", "closed.declined", "closed.withdrawn")
    tickets = {state: journey.to(state, assist=state not in before_dispatch) for state in REACHED}
    versions = {state: journey.ticket(reference).version for state, reference in tickets.items()}
    wrong, refused_as, refused = [], set(), _refused()
    for action in sorted(set(ACTIONS) - {"submit"}):
        sample = _refused_sample(refused, "lapse" if action == "wake" else action)
        assert {cell.role for cell in sample} >= set(ROLES) - {"submitter"}, action
        for cell in sample:
            fields = FIELDS.get(action, {"request": 1, "decision": "granted", "text": "Looked at with care"})
            person = call_as(PEOPLE[cell.role, cell.relation])
            response = person.act(tickets[cell.state], action, **fields)
            refused_as.add(response.status_code)
            version = journey.ticket(tickets[cell.state]).version
            if response.status_code not in (403, 404, 409) or version != versions[cell.state]:
                wrong.append(f"{cell}: {response.status_code} {response.text}")
    assert not wrong, "\n".join(wrong)
    assert refused_as == {403, 404, 409}


def test_handler_of_a_unit_that_gave_it_away_reads_but_acts_no_more(journey: Journey, call_as: CallAs) -> None:
    reference = journey.submit()
    journey.act(reference, "dispatch", "dp1", lead="a")
    journey.act(reference, "acknowledge", "ha")
    journey.act(reference, "transfer", "dp1", unit="water", reason="It is theirs")
    former = call_as("ha")
    assert former.get(f"/tickets/{reference}").status_code == 200
    for action in ("reply", "note", "resolve", "assign", "acknowledge"):
        assert former.act(reference, action, **FIELDS[action]).status_code in (403, 409), action
