"""What happens when time is up: alarms once, breaches at their due instant, signing, waits and silence."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from feedback.kernel.outbox import Outbox
from feedback.sla.models import SlaAlarm, SlaClock
from feedback.tickets.models import Leg
from tests.support.county import County
from tests.support.story import PLAIN, Story


def clock(story: Story, kind: str, round_: int = 1) -> SlaClock:
    """The ticket's clock of that kind and round."""
    query = select(SlaClock).where(SlaClock.ticket_id == story.ticket.id, SlaClock.kind == kind)
    return story.county.session.scalars(query.where(SlaClock.round == round_).order_by(SlaClock.id.desc())).first()  # type: ignore[return-value]


def test_breach_is_a_fact_at_its_due_instant_however_late_noticed(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    due = clock(story, "dispatch").due_at
    story.now = due + timedelta(days=9)
    story.sweep()
    assert clock(story, "dispatch").breached_at == due


def test_outage_records_every_missed_level_and_sends_only_the_highest(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    story.now = clock(story, "dispatch").due_at + timedelta(days=9)
    story.sweep()
    session, dispatch = any_county.session, clock(story, "dispatch")
    alarms = session.scalars(select(SlaAlarm).where(SlaAlarm.clock_id == dispatch.id).order_by(SlaAlarm.due_at)).all()
    assert [a.label for a in alarms] == ["50%", "100%", "+1wd"]
    assert [a.is_sent for a in alarms] == [False, False, True]
    sent = session.scalars(select(Outbox).where(Outbox.event == "sla.alarm")).all()
    assert [o.payload["label"] for o in sent if o.payload["clock_id"] == dispatch.id] == ["+1wd"]


def test_sweeping_again_writes_nothing_more(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    story.sweep(days=30)
    counts = select(func.count()).select_from(SlaAlarm), select(func.count()).select_from(Outbox)
    before = [any_county.session.scalar(query) for query in counts]
    assert story.sweep().alarms == 0
    assert [any_county.session.scalar(query) for query in counts] == before


def test_system_signs_when_the_unit_does_not(any_county: County) -> None:
    story = Story(any_county).submit()
    due = clock(story, "signing").due_at
    story.now = due + timedelta(minutes=1)
    story.sweep()
    assert story.state == "in_progress"
    assert clock(story, "signing").breached_at == due
    assert any_county.session.scalars(select(Leg)).one().acknowledged_by_system


def test_silence_closes_as_unanswered_after_two_reminders(any_county: County) -> None:
    story = Story(any_county).resolved()
    due = clock(story, "confirmation").due_at
    while story.now < due - timedelta(hours=2):
        story.sweep(hours=2)
        assert story.state == "resolved"
    reminders = select(SlaAlarm.label).where(SlaAlarm.audience == "submitter").order_by(SlaAlarm.due_at)
    assert any_county.session.scalars(reminders).all() == ["50%", "80%"]
    story.sweep(hours=4)
    assert story.state == "closed.unanswered"
    story.act("s", "confirm", verdict="solved", hours=24)
    assert story.state == "closed.confirmed"


def test_reminder_lost_in_an_outage_gives_one_more_working_day(any_county: County) -> None:
    story = Story(any_county).resolved()
    due = clock(story, "confirmation").due_at
    story.now = due + timedelta(hours=1)
    story.sweep()
    assert story.state == "resolved", "the reminder only went out now"
    assert clock(story, "confirmation").due_at > story.now
    story.sweep(days=5)
    assert story.state == "closed.unanswered"


def test_wait_ends_by_itself_and_lengthens_the_deadline(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    due = clock(story, "resolution").due_at
    story.act("hw", "ask_submitter", text="请问是哪一段水管？")
    assert clock(story, "resolution").due_at > due
    story.sweep(days=20)
    assert story.state == "in_progress"
    assert story.actions()[-1] == "wake"
    moved = clock(story, "resolution").due_at
    story.sweep(days=1)
    assert clock(story, "resolution").due_at == moved


def test_no_breach_while_a_question_waits(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    due = clock(story, "resolution").due_at
    story.now = due - timedelta(hours=2)
    story.act("hw", "ask_submitter", text="请问是哪一段水管？", hours=0)
    story.now = due + timedelta(hours=1)
    story.sweep()
    assert story.state == "waiting_for_submitter"
    assert clock(story, "resolution").breached_at is None


def test_answer_exactly_at_due_is_in_time(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    story.now = clock(story, "first_response").due_at
    story.act("hw", "reply", text="今天下午到场查看", hours=0)
    assert clock(story, "first_response").breached_at is None
    assert story.ticket.first_responded_at == story.now
