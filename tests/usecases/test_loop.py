"""The loop itself: a demand goes in, a department answers, and whoever raised it closes it. On both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.intake import submission
from feedback.intake.submission import submit_ticket
from feedback.kernel import audit, outbox
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Throttled, VersionConflict
from feedback.kernel.idempotency import Once
from feedback.kernel.outbox import Outbox
from feedback.kernel.transaction import transaction
from feedback.routing.models import CatalogueRow
from feedback.tickets.models import Leg, TicketRequest, TimelineEntry, Verdict
from tests.support.county import START, County
from tests.support.story import PLAIN, Story


def test_cadre_confirms_and_ticket_is_closed_confirmed(any_county: County) -> None:
    story = Story(any_county).resolved().act("s", "confirm", verdict="solved", rating=5)
    assert story.state == "closed.confirmed"
    assert story.actions() == ["submit", "dispatch", "acknowledge", "resolve", "confirm"]
    assert story.ticket.version == 5
    assert any_county.session.scalars(select(Verdict)).one().rating == 5


def test_sure_category_is_dispatched_within_submit(any_county: County) -> None:
    story = Story(any_county).submit()
    assert story.state == "dispatched"
    assert story.ticket.lead_unit_id == any_county.units["water"].id
    assert story.ticket.original_due_at == story.ticket.due_at


@contextmanager
def _after_a_change(change: Callable[[Session], None]) -> Iterator[Session]:
    """A transaction before which another one came."""
    with transaction() as earlier:
        change(earlier)
    with transaction() as session:
        yield session


def test_submission_is_understood_anew_where_the_catalogue_changed_before_it_was_written(
    any_county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_water_to_the_roads(session: Session) -> None:
        row = session.scalars(select(CatalogueRow).where(CatalogueRow.lead_id == any_county.units["water"].id)).one()
        row.lead_id = any_county.units["roads"].id

    monkeypatch.setattr(submission, "transaction", lambda: _after_a_change(give_water_to_the_roads))
    story = Story(any_county).submit()
    assert story.state == "dispatched"
    assert story.ticket.lead_unit_id == any_county.units["roads"].id


def test_what_is_wrong_with_a_submission_is_said_only_if_it_was_not_sent_before(county: County) -> None:
    once = Once("somebody", "submit", "key-1", "digest")
    sent = {"text": PLAIN, "category": "water"}
    first = submit_ticket(sent, actor=county.actor("s"), now=START, once=once)
    again = submit_ticket({**sent, "category": "no such"}, actor=county.actor("s"), now=START, once=once)
    assert (again.reference, again.is_replay) == (first.reference, True)
    with pytest.raises(Invalid, match="category"):
        submit_ticket({**sent, "category": "no such"}, actor=county.actor("s"), now=START)


def test_a_transaction_that_fails_leaves_nothing_for_the_next_to_write(county: County) -> None:
    def fail() -> None:
        with transaction() as session:
            audit.record(session, "settings", actor="system", action="tried", now=START)
            outbox.publish(session, "ticket.tried", now=START)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction() as session:
        audit.record(session, "settings", actor="system", action="done", now=START)
    assert county.session.scalars(select(Outbox)).all() == []
    assert "tried" not in county.session.scalars(select(audit.AuditEntry.action)).all()
    assert list(audit.verify(county.session)) == []


def test_unsure_text_waits_for_the_dispatcher(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    assert story.state == "submitted"
    assert story.ticket.routing["reason"] == "no_category"
    story.act("dp1", "dispatch", lead="a", assists=[{"unit": "b", "task": "请配合核实"}])
    assert story.state == "dispatched"
    roles = any_county.session.scalars(select(Leg.role).where(Leg.ticket_id == story.ticket.id)).all()
    assert sorted(roles) == ["assist", "lead"]


def test_dispute_opens_a_round_and_same_lead_works_on(any_county: County) -> None:
    story = Story(any_county).resolved().act("s", "dispute", reason="还在漏水")
    ticket = story.ticket
    assert (ticket.status, ticket.round, ticket.reopen_count) == ("in_progress", 2, 1)
    assert ticket.lead_unit_id == any_county.units["water"].id
    original = ticket.original_due_at
    story.act("hw", "resolve", outcome="solved", text="重新开挖并更换整段").act("s", "confirm", verdict="partly")
    assert story.state == "closed.confirmed"
    assert story.ticket.original_due_at == original


def test_question_waits_and_answer_goes_back_where_it_was(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    story.act("hw", "ask_submitter", text="是哪一段水管？")
    assert story.state == "waiting_for_submitter"
    story.act("s", "answer", text="村委会门口那一段")
    assert story.state == "in_progress"
    story.act("hw", "ask_submitter", text="几点漏得最厉害？").act("s", "comment", text="早上六点")
    assert story.state == "in_progress"
    with pytest.raises(Conflict) as refused:
        story.act("hw", "ask_submitter", text="还有一个问题？")
    assert refused.value.code == "limit_reached"


def test_transfer_starts_signing_anew_and_keeps_the_submitters_due(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    due = story.ticket.due_at
    story.act("dp1", "transfer", unit="roads", reason="是路面塌陷引起的")
    assert (story.state, story.ticket.due_at) == ("dispatched", due)
    with pytest.raises(Forbidden):
        story.act("hw", "acknowledge")
    story.act("dp1", "transfer", unit="water", reason="查明还是水管问题")
    legs = any_county.session.scalars(select(Leg).where(Leg.ticket_id == story.ticket.id)).all()
    assert len(legs) == 2, "a unit that gets it back goes on with its own leg"
    story.act("hw", "acknowledge")
    assert story.state == "in_progress"


def test_decline_needs_a_second_person(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    story.act("dp1", "decline", reason_code="legal_procedure", instead="请向人民法院提起诉讼。")
    assert story.state == "submitted"
    request = any_county.session.scalars(select(TicketRequest)).one()
    with pytest.raises(Forbidden):
        story.act("dp1", "decide", request=request.id, decision="granted", text="同意")
    with pytest.raises(Conflict) as twice:
        story.act("dp1", "decline", reason_code="legal_procedure", instead="请向人民法院提起诉讼。")
    assert twice.value.code == "request_pending"
    story.act("su", "decide", request=request.id, decision="granted", text="属于诉讼事项")
    assert story.state == "closed.declined"


def test_dispatch_overtakes_a_pending_decline(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    story.act("dp1", "decline", reason_code="nothing_to_act_on", instead="请补充具体地点。")
    story.act("dp1", "dispatch", lead="a")
    assert any_county.session.scalars(select(TicketRequest.state)).one() == "overtaken"


def test_raising_urgency_counts_at_once_and_lowering_needs_a_supervisor(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN)
    later = story.ticket.due_at
    story.act("dp1", "set_urgency", urgency="urgent", reason="老人出行受影响")
    assert story.ticket.urgency == "urgent"
    assert story.ticket.due_at is not None
    assert later is not None
    assert story.ticket.due_at < later
    story.act("dp1", "set_urgency", urgency="normal", reason="已有临时措施")
    assert story.ticket.urgency == "urgent"
    request = any_county.session.scalars(select(TicketRequest)).one()
    story.act("su", "decide", request=request.id, decision="granted", text="情况属实")
    assert story.ticket.urgency == "normal"


def test_submitter_urges_once_in_the_interval(any_county: County) -> None:
    story = Story(any_county).submit().act("s", "urge")
    with pytest.raises(Throttled) as refused:
        story.act("s", "urge")
    assert refused.value.details["retry_after"] > 0
    story.act("s", "urge", hours=48)


def test_withdraw_after_dispatch_asks_whether_anybody_asked_for_it(any_county: County) -> None:
    story = Story(any_county).submit()
    with pytest.raises(Invalid) as refused:
        story.act("s", "withdraw", reason="自己修好了")
    assert "asked_to" in refused.value.errors
    story.act("s", "withdraw", reason="自己修好了", asked_to=False)
    assert story.state == "closed.withdrawn"


def test_reopen_is_for_its_submitter_within_thirty_days(any_county: County) -> None:
    story = Story(any_county).resolved().act("s", "confirm", verdict="solved")
    with pytest.raises(Forbidden):
        story.act("hw", "reopen", reason="想再看看")
    story.act("s", "reopen", reason="又漏了", hours=24)
    assert (story.state, story.ticket.round) == ("in_progress", 2)
    story.act("hw", "resolve", outcome="solved", text="再次更换接头").act("s", "confirm", verdict="solved")
    with pytest.raises(Conflict) as refused:
        story.act("s", "reopen", reason="又漏了", hours=24 * 31)
    assert refused.value.code == "window_over"
    story.act("su", "reopen", reason="抽查发现仍漏水")
    assert story.ticket.round == 3


def test_not_possible_needs_its_basis_and_may_be_accepted(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    with pytest.raises(Invalid) as refused:
        story.act("hw", "resolve", outcome="not_possible", text="无法办理该事项")
    assert "basis" in refused.value.errors
    story.act("hw", "resolve", outcome="not_possible", text="无法办理该事项", basis="供水条例第十二条")
    story.act("s", "confirm", verdict="accepted")
    assert story.state == "closed.confirmed"


def test_accepted_is_no_verdict_on_a_claim_of_solved(any_county: County) -> None:
    story = Story(any_county).resolved()
    with pytest.raises(Invalid):
        story.act("s", "confirm", verdict="accepted")
    assert story.state == "resolved"


def test_lead_waits_for_an_assisting_unit(any_county: County) -> None:
    story = Story(any_county).submit(text=PLAIN).act("dp1", "dispatch", lead="a", assists=[{"unit": "b"}])
    story.act("ha", "acknowledge")
    with pytest.raises(Conflict) as refused:
        story.act("ha", "resolve", outcome="solved", text="活动室已延长开放")
    assert refused.value.code == "assists_open"
    story.act("hb", "answer_leg", text="我单位无异议").act("ha", "resolve", outcome="solved", text="活动室已延长开放")
    assert story.state == "resolved"


def test_head_assigns_only_within_the_own_unit(any_county: County) -> None:
    story = Story(any_county).submit().act("lw", "assign", assignee="hw2")
    assert story.ticket.assignee_id == any_county.accounts["hw2"].id
    with pytest.raises(Invalid):
        story.act("lw", "assign", assignee="ha")


def test_stale_version_is_refused_and_changes_nothing(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    with pytest.raises(VersionConflict) as refused:
        story.act("hw", "reply", version=2, text="明天上午到场查看")
    assert refused.value.details["version"] == 3
    assert story.ticket.version == 3


def test_only_its_submitter_confirms(any_county: County) -> None:
    story = Story(any_county).resolved()
    for login in ("hw", "lw", "d", "su", "lr"):
        with pytest.raises(Forbidden):
            story.act(login, "confirm", verdict="solved")
    for login in ("s2", "ha", "adm", "au", "x"):
        with pytest.raises(NotFound):
            story.act(login, "confirm", verdict="solved")
    assert story.state == "resolved"


def test_one_step_writes_row_timeline_audit_and_outbox_together(any_county: County) -> None:
    story = Story(any_county).resolved()
    session, ticket = any_county.session, story.ticket
    versions = session.scalars(select(TimelineEntry.version).where(TimelineEntry.ticket_id == ticket.id)).all()
    assert sorted(versions) == [1, 2, 3, 4]
    sent = session.scalars(select(Outbox.version).where(Outbox.ticket_id == ticket.id)).all()
    assert sorted(v for v in sent if v) == [1, 2, 3, 4]
    stream = select(audit.AuditEntry.seq).where(audit.AuditEntry.stream == f"ticket:{ticket.id}")
    assert sorted(session.scalars(stream)) == [1, 2, 3, 4]
    assert list(audit.verify(session)) == []


def test_a_full_stop_is_no_reply(any_county: County) -> None:
    story = Story(any_county).submit().act("hw", "acknowledge")
    for text in ("", "  ", ".", "。", "\u200b"):
        with pytest.raises(Invalid) as refused:
            story.act("hw", "reply", text=text)
        assert "text" in refused.value.errors
    assert story.ticket.first_responded_at is None


def test_dispatcher_cannot_push_down_what_the_catalogue_keeps_above(any_county: County) -> None:
    any_county.add_catalogue("permits", "a")
    with transaction() as session:
        row = session.scalars(select(CatalogueRow).where(CatalogueRow.lead_id == any_county.units["a"].id)).all()[-1]
        row.not_below = "county"
    story = Story(any_county).submit(text=PLAIN, category="permits")
    with pytest.raises(Invalid) as refused:
        story.act("dp1", "transfer", unit="town", reason="请镇里先办理")
    assert "unit" in refused.value.errors
    assert story.ticket.lead_unit_id == any_county.units["a"].id


@pytest.mark.parametrize("text", ["收到", "您好，已收到。谢谢！", "已转办，请耐心等待", "Received. Thank you!"])
def test_stock_phrase_alone_is_no_first_response(county: County, text: str) -> None:
    story = Story(county).submit().act("hw", "acknowledge").act("hw", "reply", text=text)
    assert story.ticket.first_responded_at is None
    story.act("hw", "reply", text="收到，明天上午带管钳到村口换接头。")
    assert story.ticket.first_responded_at == story.now
