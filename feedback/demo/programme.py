"""Which plots a demo plays, how many of each, how long ago they begin, and with what kind of submission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.demo import plots
from feedback.demo.plots import Plot


@dataclass(frozen=True)
class Act:
    """A plot and its share of the programme. `age` is days before the present, as (least, most).

    `voice`: plain, vague (the catalogue can't be sure), burden, about (someone), on_behalf, urgent.
    """

    plot: Plot
    share: int
    age: tuple[float, float]
    voice: str = "plain"


PROGRAMME: Sequence[Act] = (
    Act(plots.confirmed, 24, (12, 60)),
    Act(plots.confirmed, 4, (14, 58), "on_behalf"),
    Act(plots.confirmed, 3, (10, 40), "burden"),
    Act(plots.confirmed, 2, (10, 50), "urgent"),
    Act(plots.confirmed, 2, (15, 50), "about"),
    Act(plots.confirmed_without_rating, 5, (12, 55)),
    Act(plots.unanswered, 8, (20, 55)),
    Act(plots.confirmed_late, 2, (32, 55)),
    Act(plots.disputed, 7, (18, 50)),
    Act(plots.disputed_and_quiet, 3, (12, 20)),
    Act(plots.reopened, 4, (28, 55)),
    Act(plots.asked, 6, (8, 40)),
    Act(plots.asked_in_vain, 2, (18, 35)),
    Act(plots.late_but_done, 6, (20, 50)),
    Act(plots.neglected, 6, (9, 16)),
    Act(plots.transferred, 4, (14, 45), "vague"),
    Act(plots.assisted, 4, (12, 40)),
    Act(plots.assigned, 4, (10, 40)),
    Act(plots.not_possible, 2, (14, 45)),
    Act(plots.planned, 2, (14, 45)),
    Act(plots.extended, 2, (14, 45)),
    Act(plots.declined, 2, (10, 40), "vague"),
    Act(plots.decline_refused, 1, (14, 30), "vague"),
    Act(plots.withdrawn, 3, (8, 40)),
    Act(plots.withdrawn_early, 2, (5, 40), "vague"),
    Act(plots.joined, 3, (2, 12)),
    Act(plots.raised, 2, (10, 40), "vague"),
    Act(plots.reclassified, 1, (14, 30), "vague"),
    Act(plots.unanswered, 6, (5, 8)),
    Act(plots.asked_in_vain, 3, (1, 3)),
    Act(plots.late_but_done, 5, (1, 5)),
    Act(plots.lowering_asked, 1, (1, 2)),
    Act(plots.more_time_asked, 1, (1, 2)),
    Act(plots.decline_pending, 1, (0.2, 0.6), "vague"),
    Act(plots.untouched, 1, (2, 3), "vague"),
    Act(plots.untouched, 2, (0.02, 0.3), "vague"),
    Act(plots.untouched, 1, (0.05, 0.4), "burden"),
    Act(plots.untouched, 1, (0.05, 0.4), "about"),
    Act(plots.sent_only, 5, (0.005, 0.1)),
)


def choose_acts(tickets: int) -> list[Act]:
    """As many acts as tickets, in the programme's shares; each act at least once where there are enough tickets."""
    whole = sum(act.share for act in PROGRAMME)
    wanted = [act.share * tickets / whole for act in PROGRAMME]
    least = 1 if tickets >= len(PROGRAMME) else 0
    counts = [max(least, int(share)) for share in wanted]
    while sum(counts) != tickets:
        step = 1 if sum(counts) < tickets else -1
        gaps = [
            (share - count) * step if count + step >= least else -float("inf")
            for share, count in zip(wanted, counts, strict=True)
        ]
        counts[gaps.index(max(gaps))] += step
    return [act for act, count in zip(PROGRAMME, counts, strict=True) for _ in range(count)]
