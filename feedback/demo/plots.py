"""The courses that demo tickets take: each a generator of steps that looks at its ticket before the next one.

A plot that is still under way when the present is reached simply stops there; that is how open tickets come about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from feedback.demo import texts
from feedback.demo.texts import Story

VAGUE_LEADS = ("qs-bgs", "qs-zjj", "qs-cgj", "qs-slj", "qs-jyj")
BURDEN_LEADS = ("qs-bgs", "qs-bgs", "qs-dsj", "qs-mzj")


class Scene(Protocol):
    """What a plot knows of its ticket: how it stands, and the story told in it."""

    draw: Random
    story: Story
    lead: str

    @property
    def status(self) -> str: ...

    @property
    def has_open_assist(self) -> bool: ...

    @property
    def pending_request(self) -> int | None: ...


@dataclass(frozen=True)
class Step:
    """After this amount of time (as policies write them) somebody takes an action, if the ticket is in one of `states`."""

    after: str
    by: str
    action: str
    fields: dict[str, Any] = field(default_factory=dict)
    states: tuple[str, ...] = ()


Plot = Callable[[Scene], Iterator[Step]]

OPEN = ("dispatched", "in_progress")


def dispatched(s: Scene) -> Iterator[Step]:
    """The dispatcher gives it to a unit, where the catalogue was not sure."""
    if s.status == "submitted":
        yield Step(_wmin(s, 20, 150), "dispatcher", "dispatch", {"lead": s.lead}, ("submitted",))


def taken_up(s: Scene) -> Iterator[Step]:
    """The unit signs for it and says something."""
    yield from dispatched(s)
    yield Step(_wmin(s, 15, 180), "handler", "acknowledge", {}, ("dispatched",))
    if s.draw.random() < 0.25:
        yield Step(_wmin(s, 5, 30), "handler", "note", {"text": s.draw.choice(texts.NOTES)}, ("in_progress",))
    yield Step(_wmin(s, 30, 200), "handler", "reply", {"text": s.story.reply}, ("in_progress",))


def claimed(
    s: Scene, *, within: tuple[int, int] = (1, 3), outcome: str = "solved", text: str = "", **more: str
) -> Iterator[Step]:
    """The unit says that it is done (or why not), after the assisting units have answered."""
    while s.has_open_assist:
        yield Step(_wmin(s, 60, 300), "assist", "answer_leg", {"text": "已到现场看过，同意主办单位的处理意见。"}, OPEN)
    fields = {"outcome": outcome, "text": text or s.story.done, **more}
    yield Step(f"{s.draw.randint(*within)}wd", "handler", "resolve", fields, ("in_progress",))


def confirmed(s: Scene) -> Iterator[Step]:
    """Taken up, done, and confirmed by whoever raised it."""
    yield from taken_up(s)
    yield from claimed(s)
    yield from _confirm(s)


def confirmed_without_rating(s: Scene) -> Iterator[Step]:
    """As `confirmed`, in part and without a rating."""
    yield from taken_up(s)
    yield from claimed(s, outcome="partly")
    yield Step(_hours(s, 4, 40), "submitter", "confirm", {"verdict": "partly"}, ("resolved",))


def unanswered(s: Scene) -> Iterator[Step]:
    """Done, they say; nobody says anything, and the time to confirm runs out."""
    yield from taken_up(s)
    yield from claimed(s)


def confirmed_late(s: Scene) -> Iterator[Step]:
    """Closed by silence, and confirmed after all."""
    yield from unanswered(s)
    yield Step("11d", "submitter", "confirm", {"verdict": "solved", "rating": 4}, ("closed",))


def disputed(s: Scene) -> Iterator[Step]:
    """Not solved at first; solved in the second round."""
    yield from taken_up(s)
    yield from claimed(s, within=(1, 2))
    yield Step(
        _hours(s, 3, 50), "submitter", "dispute", {"reason": s.story.again or "还是老样子，没有弄好。"}, ("resolved",)
    )
    yield Step(_wmin(s, 30, 240), "handler", "reply", {"text": "对不起，这次我们把漏掉的一并处理。"}, ("in_progress",))
    yield from claimed(s, within=(2, 3))
    verdict = s.draw.choice(("solved", "partly"))
    rating = s.draw.choice((2, 3, 4))
    yield Step(_hours(s, 5, 50), "submitter", "confirm", {"verdict": verdict, "rating": rating}, ("resolved",))


def disputed_and_quiet(s: Scene) -> Iterator[Step]:
    """Not solved, and the unit has said nothing since."""
    yield from taken_up(s)
    yield from claimed(s, within=(1, 2))
    yield Step(
        _hours(s, 3, 30), "submitter", "dispute", {"reason": s.story.again or "又坏了，和原来一样。"}, ("resolved",)
    )
    yield Step("8wd", "submitter", "urge", {}, ("in_progress",))


def reopened(s: Scene) -> Iterator[Step]:
    """Confirmed, and taken up again when it came back."""
    yield from confirmed(s)
    yield Step("9d", "submitter", "reopen", {"reason": s.story.again or "过了几天又出现了。"}, ("closed",))
    yield Step(_wmin(s, 60, 300), "handler", "reply", {"text": "收到，明天再派人来看原因。"}, ("in_progress",))
    yield from claimed(s, within=(2, 4))
    yield from _confirm(s)


def asked(s: Scene) -> Iterator[Step]:
    """The unit needs to know more; the submitter answers; then it is done."""
    question, answer = s.draw.choice(texts.QUESTIONS)
    yield from dispatched(s)
    yield Step(_wmin(s, 20, 160), "handler", "acknowledge", {}, ("dispatched",))
    yield Step(_wmin(s, 20, 90), "handler", "ask_submitter", {"text": question}, ("in_progress",))
    answer = answer.replace("{spot}", s.draw.choice(texts.SPOTS))
    yield Step(_hours(s, 3, 30), "submitter", "answer", {"text": answer}, ("waiting_for_submitter",))
    yield Step(_wmin(s, 30, 120), "handler", "reply", {"text": s.story.reply}, ("in_progress",))
    yield from claimed(s)
    yield from _confirm(s)


def asked_in_vain(s: Scene) -> Iterator[Step]:
    """A question that nobody answers: the wait ends by itself, and the unit works with what it has."""
    yield from dispatched(s)
    yield Step(_wmin(s, 20, 160), "handler", "acknowledge", {}, ("dispatched",))
    question = s.draw.choice(texts.QUESTIONS)[0]
    yield Step(_wmin(s, 20, 90), "handler", "ask_submitter", {"text": question}, ("in_progress",))
    yield Step("7wd", "handler", "reply", {"text": s.story.reply}, ("in_progress",))
    yield from claimed(s, within=(1, 2))


def neglected(s: Scene) -> Iterator[Step]:
    """Given to a unit that neither signs nor answers in time; urged, and still open."""
    yield from dispatched(s)
    yield Step("3wd", "submitter", "urge", {}, OPEN)
    yield Step("1wd", "handler", "reply", {"text": s.story.reply}, ("in_progress",))
    yield Step("2wd", "submitter", "urge", {}, ("in_progress",))


def late_but_done(s: Scene) -> Iterator[Step]:
    """Done after the due date."""
    yield from taken_up(s)
    yield Step("2wd", "submitter", "comment", {"text": s.draw.choice(texts.COMMENTS)}, ("in_progress",))
    yield from claimed(s, within=(6, 8))
    yield from _confirm(s)


def transferred(s: Scene) -> Iterator[Step]:
    """Sent to the wrong unit first."""
    right, s.lead = s.lead, s.draw.choice([u for u in ("qs-zjj", "qs-yjj", "qs-fgj") if u != s.lead])
    yield from dispatched(s)
    reason = {"reason": s.draw.choice(texts.TRANSFERRED)}
    yield Step(_wmin(s, 60, 300), "dispatcher", "transfer", {"unit": right, **reason}, OPEN)
    yield from taken_up(s)
    yield from claimed(s)
    yield from _confirm(s)


def assisted(s: Scene) -> Iterator[Step]:
    """Another unit helps."""
    yield from taken_up(s)
    helper = s.draw.choice([u for u in ("qs-czj", "qs-zrj", "qs-yjj") if u != s.lead])
    fields = {"unit": helper, "task": "请核对这处的权属和经费来源。"}
    yield Step(_wmin(s, 10, 60), "handler", "add_leg", fields, ("in_progress",))
    yield from claimed(s)
    yield from _confirm(s)


def assigned(s: Scene) -> Iterator[Step]:
    """The head of the unit names who works on it."""
    yield from dispatched(s)
    yield Step(_wmin(s, 10, 90), "head", "acknowledge", {}, ("dispatched",))
    yield Step(_wmin(s, 5, 30), "head", "assign", {"assignee": "@handler"}, ("in_progress",))
    yield Step(_wmin(s, 30, 120), "handler", "reply", {"text": s.story.reply}, ("in_progress",))
    yield from claimed(s)
    yield from _confirm(s)


def not_possible(s: Scene) -> Iterator[Step]:
    """It can't be done; the submitter accepts the grounds."""
    yield from taken_up(s)
    text, basis = texts.NOT_POSSIBLE
    yield from claimed(s, outcome="not_possible", text=text, basis=basis)
    yield Step(_hours(s, 5, 40), "submitter", "confirm", {"verdict": "accepted"}, ("resolved",))


def planned(s: Scene) -> Iterator[Step]:
    """It is planned for a day, and accepted."""
    yield from taken_up(s)
    yield from claimed(s, outcome="planned", text=texts.PLANNED, planned_on="@later")
    yield Step(_hours(s, 5, 40), "submitter", "confirm", {"verdict": "accepted", "rating": 3}, ("resolved",))


def declined(s: Scene) -> Iterator[Step]:
    """Not a matter for this system; a second person agrees."""
    fields = {"reason_code": "legal_procedure", "instead": s.draw.choice(texts.DECLINED)}
    yield Step(_wmin(s, 30, 120), "dispatcher", "decline", fields, ("submitted",))
    text = "已核实，属于司法途径，理由和去处已写明。"
    yield Step(_wmin(s, 60, 240), "decider", "decide", {"decision": "granted", "text": text}, ("submitted",))


def decline_refused(s: Scene) -> Iterator[Step]:
    """A second person thinks that it is a matter for this system after all."""
    fields = {"reason_code": "not_a_public_duty", "instead": "请与物业或村民小组协商。"}
    yield Step(_wmin(s, 30, 120), "dispatcher", "decline", fields, ("submitted",))
    text = "村里已经协商过两次，应当由部门处理，请派单。"
    yield Step(_wmin(s, 60, 200), "decider", "decide", {"decision": "refused", "text": text}, ("submitted",))
    yield from confirmed(s)


def decline_pending(s: Scene) -> Iterator[Step]:
    """Whether it is taken waits for a second person."""
    fields = {"reason_code": "nothing_to_act_on", "instead": "请补充时间、地点后重新提交。"}
    yield Step(_wmin(s, 10, 40), "dispatcher", "decline", fields, ("submitted",))


def withdrawn(s: Scene) -> Iterator[Step]:
    """Taken back by its submitter after a unit had it."""
    yield from taken_up(s)
    fields = {"reason": s.draw.choice(texts.WITHDRAWN), "asked_to": s.draw.random() < 0.2}
    yield Step(_hours(s, 3, 30), "submitter", "withdraw", fields, ("in_progress",))


def withdrawn_early(s: Scene) -> Iterator[Step]:
    """Taken back before anybody had it."""
    yield Step("90min", "submitter", "withdraw", {"reason": texts.WITHDRAWN[1]}, ("submitted",))


def joined(s: Scene) -> Iterator[Step]:
    """Somebody else has raised the same before: the dispatcher joins it to the elder one."""
    yield Step(_wmin(s, 15, 90), "dispatcher", "join", {"into": "@elder"}, ("submitted", *OPEN))


def raised(s: Scene) -> Iterator[Step]:
    """The dispatcher sees that it is more urgent, and corrects what it is."""
    fields = {"urgency": "urgent", "reason": "涉及学生上下学安全，按紧急办理。"}
    yield Step(_wmin(s, 10, 40), "dispatcher", "set_urgency", fields, ("submitted", "dispatched"))
    yield from confirmed(s)


def lowering_asked(s: Scene) -> Iterator[Step]:
    """The dispatcher asks for the longer time of a complex matter; a supervisor has not decided yet."""
    yield from taken_up(s)
    fields = {"urgency": "complex", "reason": "涉及三个单位和地块测量，五个工作日办不完。"}
    yield Step(_wmin(s, 20, 60), "dispatcher", "set_urgency", fields, ("in_progress",))


def extended(s: Scene) -> Iterator[Step]:
    """The unit asks for two days more, and gets them."""
    yield from more_time_asked(s)
    text = "配件确需从外地调运，已有临时措施，同意延期。"
    yield Step(_wmin(s, 60, 200), "decider", "decide", {"decision": "granted", "text": text}, ("in_progress",))
    yield from claimed(s)
    yield from _confirm(s)


def more_time_asked(s: Scene) -> Iterator[Step]:
    """The unit asks for two days more; nobody has decided yet."""
    yield from taken_up(s)
    fields = {"reason": "需要的配件要从外地调运，三天后才能到。", "interim": "先用临时办法保证使用，每天上门查看一次。"}
    yield Step(
        _wmin(s, 30, 120), "handler", "request_extension", {**fields, "due_at": "@two_days_more"}, ("in_progress",)
    )


def reclassified(s: Scene) -> Iterator[Step]:
    """The dispatcher corrects its kind."""
    kind, words = ("demand", "是诉求") if s.story.kind == "suggestion" else ("suggestion", "是建议")
    fields = {"kind": kind, "reason": f"看了内容，{words}，按此办理。"}
    yield Step(_wmin(s, 10, 60), "dispatcher", "reclassify", fields, ("submitted",))
    yield from confirmed(s)


def untouched(s: Scene) -> Iterator[Step]:
    """Nothing has happened yet."""
    yield from ()


def sent_only(s: Scene) -> Iterator[Step]:
    """Sent to a unit, which has not signed yet."""
    if s.status == "submitted":
        yield Step("15min", "dispatcher", "dispatch", {"lead": s.lead}, ("submitted",))


def _confirm(s: Scene) -> Iterator[Step]:
    fields: dict[str, Any] = {"verdict": "solved" if s.draw.random() < 0.85 else "partly"}
    if s.draw.random() < 0.75:
        fields["rating"] = s.draw.choice((5, 5, 4, 4, 4, 3, 3, 2))
    if s.draw.random() < 0.3:
        fields["comment"] = s.draw.choice(("比原来快。", "来的人说得清楚。", "能提前打个电话更好。"))
    yield Step(_hours(s, 4, 48), "submitter", "confirm", fields, ("resolved",))


def _wmin(s: Scene, least: int, most: int) -> str:
    return f"{s.draw.randint(least, most)}wmin"


def _hours(s: Scene, least: int, most: int) -> str:
    return f"{s.draw.randint(least, most)}h"
