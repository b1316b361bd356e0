"""THE lifecycle: statuses, who may do what when, what it needs, what it does to the clocks. Pure data and two pure questions.

Buttons, refusals, labels, the diagram in the docs and the test matrix are read from RULES; a rule changes in one line.
Conditions that depend on more than status, role and relation (counts, windows, a pending request) are the use-case's.
Source: the domain description's lifecycle table (docs/architecture.md repeats it as a diagram).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from feedback.kernel.errors import Conflict, Forbidden
from feedback.kernel.text import N_, Text

SUBMITTED, DISPATCHED, IN_PROGRESS = "submitted", "dispatched", "in_progress"
WAITING, SUSPENDED, RESOLVED, CLOSED = "waiting_for_submitter", "suspended", "resolved", "closed"
STATUSES = (SUBMITTED, DISPATCHED, IN_PROGRESS, WAITING, SUSPENDED, RESOLVED, CLOSED)
OPEN = (SUBMITTED, DISPATCHED, IN_PROGRESS, WAITING, SUSPENDED)
CLOSURE_REASONS = ("confirmed", "unanswered", "declined", "excluded", "withdrawn", "joined")
NEW = "new"
STATES = (NEW, *STATUSES[:-1], *(f"{CLOSED}.{reason}" for reason in CLOSURE_REASONS))

STAY, BACK, BEFORE = "stay", "back", "before"
"""Where a rule leads when not to a status: it stays; back to the status the wait began in; to the status before joining."""

NO_WAIT = Text(N_("The policy of this ticket gives no time to wait for an answer."))

RELATIONS = ("own", "lead", "assist", "past", "office", "scope", "decider", "none")

REQUEST_KINDS = ("return", "decline", "lower_urgency", "extension", "suspension", "exclusion", "appeal")
SYSTEM_ROLE = "system"


@dataclass(frozen=True)
class Rule:
    """One line of the table. `who` is pairs (role, relation); `clocks` are effects such as `meet signing`."""

    action: str
    states: frozenset[str]
    who: frozenset[tuple[str, str]]
    to: str
    needs: tuple[str, ...]
    clocks: tuple[str, ...]
    event: str
    is_public: bool
    or_to: str = ""
    """Where it leads instead while other seats have not voted, or where others have."""


def _who(text: str) -> frozenset[tuple[str, str]]:
    pairs = set()
    for part in text.split():
        role, relation = part.split("@")
        pairs.add((role, relation))
    return frozenset(pairs)


OWN = "submitter@own"
LEAD = "handler@lead unit_head@lead"
ASSIST = "handler@assist unit_head@assist"
OFFICE = "dispatcher@office"
DECIDER = "{0}@decider"
SYSTEM = "system@any"
STAFF = f"{LEAD} {ASSIST} {OFFICE} dispatcher@scope supervisor@scope adjudicator@scope leader@scope"

_OPEN = " ".join(OPEN)
_NOT_CLOSED = f"{_OPEN} {RESOLVED}"
_WORKED = f"{DISPATCHED} {IN_PROGRESS}"
_SEATED = " ".join(state for state in STATES if state not in (NEW, f"{CLOSED}.joined"))
_AFTER_DISPATCH = f"{_WORKED} {SUSPENDED}"
_AT_RECEIPT = "start resolution; start first_response; start dispatch"


def _rule(
    action: str,
    states: str,
    who: str,
    to: str = STAY,
    *,
    needs: str = "",
    clocks: str = "",
    event: str = "",
    public: bool = True,
    or_to: str = "",
) -> Rule:
    return Rule(
        action=action,
        states=frozenset(states.split()),
        who=_who(who),
        to=to,
        needs=tuple(needs.split()),
        clocks=tuple(part.strip() for part in clocks.split(";") if part.strip()),
        event=event or f"ticket.{action}",
        is_public=public,
        or_to=or_to,
    )


def _decide(
    kind: str, states: str, who: str, granted_to: str, clocks: str = "", *, also_needs: str = ""
) -> tuple[Rule, Rule]:
    needs = "request decision text"
    return (
        _rule(
            f"decide:{kind}:granted",
            states,
            who,
            granted_to,
            needs=f"{needs} {also_needs}",
            clocks=f"meet {'appeal' if kind == 'appeal' else 'decision'}; {clocks}",
            event=f"request.{kind}.granted",
        ),
        _rule(
            f"decide:{kind}:refused",
            states,
            who,
            STAY,
            needs=needs,
            clocks=f"meet {'appeal' if kind == 'appeal' else 'decision'}",
            event=f"request.{kind}.refused",
        ),
    )


# fmt: off
_TABLE: tuple[Rule, ...] = (
    _rule("submit", NEW, "submitter@none", SUBMITTED, needs="text", clocks=_AT_RECEIPT, event="ticket.submitted"),
    _rule("submit", NEW, "handler@none dispatcher@none", SUBMITTED, needs="text on_behalf_of", clocks=_AT_RECEIPT,
          event="ticket.submitted"),
    _rule("comment", f'{_OPEN} {RESOLVED}'.replace(WAITING, ''), OWN, needs="text", event="ticket.commented"),
    _rule("comment", WAITING, OWN, BACK, needs="text", clocks="unpause", event="ticket.answered"),
    _rule("note", _NOT_CLOSED, STAFF, needs="text", event="ticket.noted", public=False),
    _rule("reclassify", f"{SUBMITTED} {_WORKED}", OFFICE, needs="reason", clocks="repolicy",
          event="ticket.reclassified"),
    _rule("set_urgency", _OPEN, f"{OFFICE} {SYSTEM}", needs="urgency reason", clocks="repolicy",
          event="ticket.urgency_set"),
    *_decide("lower_urgency", _OPEN, DECIDER.format('supervisor') + ' leader@decider', STAY, "repolicy"),
    _rule("decline", SUBMITTED, OFFICE, needs="reason_code instead", clocks="start decision",
          event="request.decline.made", public=False),
    *_decide("decline", SUBMITTED, "dispatcher@decider supervisor@decider leader@decider", f"{CLOSED}.declined",
          "stop"),
    _rule("dispatch", SUBMITTED, f"{OFFICE} {SYSTEM}", DISPATCHED, needs="lead",
          clocks="meet dispatch; start legs; start signing", event="ticket.dispatched"),
    _rule("assign", f"{_WORKED} {WAITING} {SUSPENDED}", f"{LEAD} {ASSIST}", needs="assignee",
          event="ticket.assigned"),
    _rule("unassign", f"{_WORKED} {WAITING} {SUSPENDED} {RESOLVED}", SYSTEM, event="ticket.unassigned"),
    _rule("hand_over", f"{_WORKED} {WAITING} {SUSPENDED} {RESOLVED}", SYSTEM, event="ticket.handed_over"),
    _rule("give_back", f"{_WORKED} {WAITING} {SUSPENDED}", SYSTEM, SUBMITTED,
          clocks="unpause; end lead leg; drop signing; start dispatch", event="ticket.given_back"),
    _rule("acknowledge", DISPATCHED, f"{LEAD} {SYSTEM}", IN_PROGRESS, clocks="meet signing",
          event="ticket.acknowledged"),
    _rule("request_return", _WORKED, LEAD, needs="reason_code basis proposed_unit", clocks="start decision",
          event="request.return.made"),
    *_decide("return", _WORKED, "dispatcher@decider leader@decider", SUBMITTED,
          "end lead leg; drop signing; start dispatch"),
    _rule("refer", f"{SUBMITTED} {_WORKED}", f"{OFFICE} {SYSTEM}", needs="text", clocks="start adjudication",
          event="ticket.referred"),
    _rule("adjudicate", f"{SUBMITTED} {_WORKED}", "adjudicator@scope", DISPATCHED, needs="lead grounds",
          clocks="end other legs; meet adjudication; start legs; start signing", event="ticket.adjudicated"),
    _rule("transfer", _WORKED, OFFICE, DISPATCHED, needs="unit reason",
          clocks="end lead leg; drop signing; start legs; start signing", event="ticket.transferred"),
    _rule("ask_submitter", SUBMITTED, OFFICE, WAITING, needs="text", clocks="meet first_response; pause wait",
          event="ticket.submitter_asked"),
    _rule("ask_submitter", IN_PROGRESS, LEAD, WAITING, needs="text", clocks="meet first_response; pause wait",
          event="ticket.submitter_asked"),
    _rule("answer", WAITING, OWN, BACK, needs="text", clocks="unpause", event="ticket.answered"),
    _rule("wake", WAITING, SYSTEM, BACK, clocks="unpause", event="ticket.woken"),
    _rule("reply", IN_PROGRESS, LEAD, needs="text", clocks="meet first_response", event="ticket.replied"),
    _rule("answer_leg", _WORKED, ASSIST, needs="text", clocks="meet leg", event="leg.answered", public=False),
    _rule("add_leg", _WORKED, f"{OFFICE} {LEAD}", needs="unit", clocks="start legs", event="leg.added"),
    _rule("drop_leg", _WORKED, f"{OFFICE} {LEAD}", needs="reason", clocks="end leg", event="leg.dropped"),
    _rule("request_extension", IN_PROGRESS, LEAD, needs="reason due_at interim", clocks="start decision",
          event="request.extension.made"),
    *_decide("extension", IN_PROGRESS, "dispatcher@decider leader@decider", STAY, "move due"),
    _rule("request_suspension", IN_PROGRESS, LEAD, needs="type milestone review_on", clocks="start decision",
          event="request.suspension.made"),
    *_decide("suspension", IN_PROGRESS, "leader@decider", SUSPENDED, "pause suspension"),
    _rule("resume", SUSPENDED, f"{LEAD} supervisor@scope {SYSTEM}", IN_PROGRESS, clocks="unpause",
          event="ticket.resumed"),
    _rule("request_exclusion", IN_PROGRESS, LEAD, needs="reason_code text", clocks="start decision",
          event="request.exclusion.made"),
    *_decide("exclusion", IN_PROGRESS, "dispatcher@decider supervisor@decider leader@decider",
          f"{CLOSED}.excluded", "stop"),
    _rule("resolve", IN_PROGRESS, LEAD, RESOLVED, needs="outcome text",
          clocks="meet first_response; meet resolution; meet lead leg; start confirmation", event="ticket.resolved"),
    _rule("withdraw_request", f"{_WORKED} {WAITING} {SUSPENDED}", LEAD, needs="request",
          clocks="drop decision", event="request.withdrawn"),
    _rule("withdraw_request", _OPEN, OFFICE, needs="request", clocks="drop decision", event="request.withdrawn"),
    _rule("withdraw_request", f"{_NOT_CLOSED} {CLOSED}.declined {CLOSED}.excluded", OWN, needs="request",
          clocks="drop appeal", event="request.withdrawn"),
    _rule("confirm", f"{RESOLVED} {CLOSED}.unanswered", OWN, f"{CLOSED}.confirmed", needs="verdict",
          clocks="meet confirmation; stop", event="ticket.confirmed", or_to=STAY),
    _rule("dispute", RESOLVED, OWN, IN_PROGRESS, needs="reason",
          clocks="drop confirmation; restart resolution; restart lead leg", event="ticket.disputed"),
    _rule("lapse", RESOLVED, SYSTEM, f"{CLOSED}.unanswered", clocks="stop", event="ticket.lapsed",
          or_to=f"{CLOSED}.confirmed"),
    _rule("reopen", f"{CLOSED}.confirmed {CLOSED}.unanswered", f"{OWN} supervisor@scope", IN_PROGRESS, needs="reason",
          clocks="restart resolution; restart lead leg", event="ticket.reopened"),
    _rule("appeal", f"{_NOT_CLOSED} {CLOSED}.declined {CLOSED}.excluded", OWN, needs="text",
          clocks="start appeal", event="request.appeal.made"),
    *_decide("appeal", f"{CLOSED}.declined", "dispatcher@decider leader@decider", SUBMITTED, "resume all"),
    *_decide("appeal", f"{CLOSED}.excluded", "dispatcher@decider leader@decider", IN_PROGRESS, "resume all"),
    *_decide("appeal", _NOT_CLOSED, "dispatcher@decider leader@decider", DISPATCHED,
          "end lead leg; start legs; start signing", also_needs="unit"),
    _rule("join", f"{SUBMITTED} {DISPATCHED}", OWN, f"{CLOSED}.joined", needs="into", clocks="stop", event="ticket.joined"),
    _rule("join", _OPEN, OFFICE, f"{CLOSED}.joined", needs="into", clocks="stop", event="ticket.joined"),
    _rule("unjoin", f"{CLOSED}.joined", f"{OWN} {OFFICE}", BEFORE, needs="reason", clocks="resume all",
          event="ticket.unjoined"),
    _rule("add_seat", _NOT_CLOSED, SYSTEM, event="seat.added"),
    _rule("drop_seat", _SEATED, SYSTEM, event="seat.dropped"),
    _rule("publish_summary", _NOT_CLOSED, OFFICE, needs="text", event="ticket.summary_published"),
    _rule("withdraw_summary", _NOT_CLOSED, OFFICE, event="ticket.summary_withdrawn"),
    _rule("withdraw", f"{SUBMITTED} {WAITING}", OWN, f"{CLOSED}.withdrawn", needs="reason", clocks="stop",
          event="ticket.withdrawn"),
    _rule("withdraw", _AFTER_DISPATCH, OWN, f"{CLOSED}.withdrawn", needs="reason asked_to", clocks="stop",
          event="ticket.withdrawn"),
    _rule("urge", _OPEN, OWN, event="ticket.urged"),
    _rule("supervise", _NOT_CLOSED, "supervisor@scope leader@scope", needs="text wanted_by",
          clocks="start supervision", event="ticket.supervised"),
    _rule("answer_supervision", _NOT_CLOSED, "unit_head@lead", needs="text", clocks="meet supervision",
          event="supervision.answered"),
    _rule("record_callback", f"{RESOLVED} {CLOSED}.confirmed {CLOSED}.unanswered",
          "dispatcher@scope supervisor@scope", needs="text", event="ticket.called_back"),
)
# fmt: on

RULES: tuple[Rule, ...] = _TABLE
ACTIONS: tuple[str, ...] = tuple(dict.fromkeys(rule.action for rule in RULES))

_BY_ACTION: dict[str, tuple[Rule, ...]] = {
    action: tuple(rule for rule in RULES if rule.action == action) for action in ACTIONS
}


def state_of(status: str, closure_reason: str | None) -> str:
    """The table's name of a ticket's state, such as `closed.confirmed`."""
    return f"{status}.{closure_reason}" if closure_reason else status


def split_state(state: str) -> tuple[str, str | None]:
    """Status and closure reason of a state's name."""
    status, _, reason = state.partition(".")
    return status, reason or None


def rules_for(action: str) -> tuple[Rule, ...]:
    """All lines of one action; empty for an action that is not in the table."""
    return _BY_ACTION.get(action, ())


def find_rule(action: str, state: str, role: str, relation: str) -> Rule | None:
    """The line that lets this role in this relation do it in this state, or None."""
    for rule in rules_for(action):
        if state in rule.states and ((role, relation) in rule.who or (role, "any") in rule.who):
            return rule
    return None


def judge(action: str, state: str, standings: Iterable[tuple[str, str]]) -> tuple[Rule, tuple[str, str]]:
    """The line that applies and the (role, relation) that carries it, the first of `standings` that may.

    Raises Forbidden where none of them could do it in any state, Conflict (`status_conflict`) where one could, but not now.
    """
    standings = tuple(standings)
    for standing in standings:
        rule = find_rule(action, state, *standing)
        if rule:
            return rule, standing
    could = any(
        (role, relation) in rule.who or (role, "any") in rule.who
        for rule in rules_for(action)
        for role, relation in standings
    )
    if not could:
        raise Forbidden(Text(N_("This is not for you to do on this ticket.")))
    raise Conflict(
        Text(N_("That can't be done now: the ticket has moved on. Look at its present state and the steps it offers.")),
        status=state,
        action=action,
        allowed=sorted(actions_for(state, standings)),
    )


def actions_for(state: str, standings: Iterable[tuple[str, str]]) -> set[str]:
    """Every action that one of these standings may do in this state, as the table alone says."""
    standings = tuple(standings)
    return {
        rule.action
        for rule in RULES
        if state in rule.states
        and any((role, relation) in rule.who or (role, "any") in rule.who for role, relation in standings)
    }
