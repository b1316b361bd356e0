"""The lifecycle's table in code against the hand-written matrix, cell by cell, and every cell through the guard.

No database: the guard judges a state and a standing. Fields are compared where they must be there; optional ones
belong to the doors' tests. In code the system's answer has a name of its own, wake.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product

import pytest

from feedback.kernel.errors import Conflict, Forbidden
from feedback.tickets import lifecycle
from tests.architecture.matrix import (
    ACTIONS,
    RELATIONS,
    ROLES,
    STATES,
    Allowed,
    Cell,
    Matrix,
    MatrixError,
    expand,
    read_matrix,
)

MATRIX = read_matrix()
CODE_ACTIONS = (*ACTIONS, "wake")


def in_code(matrix: Matrix) -> dict[Cell, Allowed]:
    """The allowed cells under the names that the code uses."""
    allowed = {}
    for cell, answer in matrix.cells():
        if answer:
            is_wake = cell.action == "answer" and cell.role == "system"
            allowed[Cell(cell.state, "wake" if is_wake else cell.action, cell.role, cell.relation)] = answer
    return allowed


EXPECTED = in_code(MATRIX)


def every_cell() -> Iterator[Cell]:
    for action, role, relation, state in product(CODE_ACTIONS, ROLES, RELATIONS, STATES):
        yield Cell(state, action, role, relation)


def differences(expected: dict[Cell, Allowed]) -> list[str]:
    """Every cell in which code and file differ, one line for those that differ alike."""
    groups: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in every_cell():
        wanted, rule = expected.get(cell), lifecycle.find_rule(cell.action, cell.state, cell.role, cell.relation)
        file_says = f"-> {wanted.next} needs {sorted(wanted.needs)}" if wanted else "refused"
        code_says = f"-> {rule.to} needs {sorted(rule.needs)}" if rule else "refused"
        if file_says != code_says:
            groups[cell.action, file_says, code_says].append(cell)
    return [
        f"{action}: file {file_says}; code {code_says}; {len(cells)} cells:"
        f" {', '.join(sorted({f'{cell.role}@{cell.relation}' for cell in cells}))}"
        f" in {', '.join(state for state in STATES if any(cell.state == state for cell in cells))}"
        for (action, file_says, code_says), cells in groups.items()
    ]


def test_code_and_file_agree_in_every_cell() -> None:
    found = differences(EXPECTED)
    assert not found, "\n" + "\n".join(found)


def test_comparison_sees_a_single_changed_cell() -> None:
    cell = Cell("resolved", "confirm", "submitter", "own")
    agreed = set(differences(EXPECTED))
    assert len(set(differences({key: each for key, each in EXPECTED.items() if key != cell})) - agreed) == 1
    handler = Cell("resolved", "confirm", "handler", "lead")
    assert len(set(differences({**EXPECTED, handler: EXPECTED[cell]})) - agreed) == 1


def test_code_knows_the_words_of_the_file_and_no_others() -> None:
    assert set(lifecycle.ACTIONS) == set(CODE_ACTIONS)
    assert set(lifecycle.STATES) == set(STATES)
    assert set(lifecycle.RELATIONS) == set(RELATIONS)
    assert {role for rule in lifecycle.RULES for role, _relation in rule.who} <= set(ROLES)
    assert {relation for rule in lifecycle.RULES for _role, relation in rule.who} <= {*RELATIONS, "any"}


def test_no_two_rules_claim_one_cell() -> None:
    for cell in every_cell():
        claims = [
            rule
            for rule in lifecycle.rules_for(cell.action)
            if cell.state in rule.states and {(cell.role, cell.relation), (cell.role, "any")} & rule.who
        ]
        assert len({(rule.to, rule.needs, rule.clocks) for rule in claims}) <= 1, cell


def test_guard_answers_every_cell_as_the_file_does() -> None:
    somewhere = {(cell.action, cell.role, cell.relation) for cell in EXPECTED}
    wrong: dict[str, list[Cell]] = defaultdict(list)
    for cell in every_cell():
        if cell in EXPECTED:
            wanted = EXPECTED[cell].next
        else:
            wanted = "Conflict" if (cell.action, cell.role, cell.relation) in somewhere else "Forbidden"
        given = _guard(cell)
        if given != wanted:
            wrong[f"{cell.action} by {cell.role}@{cell.relation}: file {wanted}; guard {given}"].append(cell)
    lines = [f"{line}; in {', '.join(cell.state for cell in cells)}" for line, cells in wrong.items()]
    assert not lines, "\n" + "\n".join(lines)


def _guard(cell: Cell) -> str:
    standing = (cell.role, cell.relation)
    try:
        rule, carried_by = lifecycle.judge(cell.action, cell.state, [standing])
    except Forbidden:
        return "Forbidden"
    except Conflict:
        return "Conflict"
    assert carried_by == standing
    return rule.to


def test_guard_offers_in_every_state_exactly_what_the_file_allows() -> None:
    wrong = []
    for state, role, relation in product(STATES, ROLES, RELATIONS):
        allowed = {action for action in CODE_ACTIONS if Cell(state, action, role, relation) in EXPECTED}
        offered = lifecycle.actions_for(state, [(role, relation)])
        if offered != allowed:
            wrong.append(f"{role}@{relation} in {state}: too many {offered - allowed}, missing {allowed - offered}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_guard_names_status_action_and_what_is_allowed_in_a_conflict() -> None:
    with pytest.raises(Conflict) as refusal:
        lifecycle.judge("confirm", "in_progress", [("submitter", "own")])
    told = refusal.value.details
    assert (told["status"], told["action"]) == ("in_progress", "confirm")
    assert told["allowed"] == sorted(
        cell.action
        for cell in EXPECTED
        if (cell.state, cell.role, cell.relation) == ("in_progress", "submitter", "own")
    )


def test_person_with_two_standings_may_do_what_either_may() -> None:
    rule, carried_by = lifecycle.judge("resolve", "in_progress", [("submitter", "none"), ("handler", "lead")])
    assert (rule.to, carried_by) == ("resolved", ("handler", "lead"))


def test_matrix_has_its_size_and_every_action() -> None:
    counts = MATRIX.counts()
    assert counts.total == len(STATES) * len(ACTIONS) * len(ROLES) * len(RELATIONS)
    assert counts.allowed + counts.refused == counts.total
    assert set(counts.per_action) == set(ACTIONS)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "process"),
        ("states", "open"),
        ("states", "resolved;resolved"),
        ("states", ""),
        ("who", "submitter"),
        ("who", "cadre@own"),
        ("who", "submitter@home"),
        ("needs", "story"),
        ("next", "new"),
        ("next", ""),
    ],
)
def test_matrix_refuses_a_word_it_does_not_know(column: str, value: str) -> None:
    row = {"action": "urge", "states": "submitted", "who": "submitter@own", "needs": "", "next": "stay", "note": ""}
    with pytest.raises(MatrixError, match="line 7"):
        expand([(7, {**row, column: value})])


def test_matrix_refuses_a_cell_said_twice_and_a_silent_action() -> None:
    row = {"action": "urge", "states": "submitted", "who": "submitter@own", "needs": "", "next": "stay", "note": ""}
    with pytest.raises(MatrixError, match="already said on line 1"):
        expand([(1, row), (2, row)])
    with pytest.raises(MatrixError, match="no row for"):
        expand([(1, row)])
