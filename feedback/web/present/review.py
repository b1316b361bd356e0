"""The figures of a period as a leader reads them: a number never without what it counts, each with the list behind it."""

from __future__ import annotations

from typing import Any

from babel.dates import format_interval
from flask_babel import get_locale

from feedback.reports.metrics import HATCHES, MEASURES, NOTES, SHARES, Measure, Row, measure_of
from feedback.reports.queries import NO_KEY, Report
from feedback.web.filters import address, either_name
from feedback.web.periods import Period
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext, sentences

Part = dict[str, Any]
SHOWN = ("claimed", "confirmed", "stable", "raised_again", "on_time")
"""The figures of the table and the definitions below it."""
MOST_BARS = 8
EXPLAINED = ("dispatched", "left_out", "unit", "suppressed", "small")


def percent(share: float | None) -> str:
    """A share as whole per cent; a dash for none."""
    return "–" if share is None else f"{share * 100:.0f} %"


def list_url(period: Period, measure: str, part: str, *, by: str = "unit", key: str | None = None) -> str:
    """The address of the list behind a number: the same period, figure and row."""
    asked = {**period.args(), "by": by, "measure": measure, "part": part, **({} if key is None else {"key": key})}
    return address("leader.counted", asked)


def row_name(row: Row) -> str:
    """A row's name in the reader's language; a month as `2026-03`."""
    if row.key is None:
        return _("All together")
    return either_name(row.name, row.name_en) or (_("no unit yet") if row.key == NO_KEY else row.key)


def numbers_of(report: Report, earlier: Report | None, period: Period, waiting: Part) -> list[Part]:
    """The five numbers: raised, stable, claimed against confirmed, on time, waiting on us."""
    total = report.total
    before = earlier.total if earlier else None
    return [
        _raised(total, before, period),
        _rate("stable", _("Stable closure"), total, before, period, note=_pending(total)),
        _rate("confirmed", _("Confirmed closure"), total, before, period, note=_gap(total)),
        _rate("on_time", _("On time"), total, before, period),
        waiting,
    ]


def _raised(total: Row, before: Row | None, period: Period) -> Part:
    submitted = total.hatches["declined"]
    if submitted.denominator is None:
        return _hidden(_("Raised"))
    number: Part = {
        "label": _("Raised"),
        "value": str(submitted.denominator),
        "of": _("tickets submitted in this period"),
        "url": list_url(period, "declined", "denominator"),
    }
    earlier = before.hatches["declined"].denominator if before else None
    if earlier is not None:
        change = submitted.denominator - earlier
        number |= {"change": _("%(change)s against the period before", change=f"{change:+d}"), "change_tone": "info"}
    return number


def _rate(name: str, label: str, total: Row, before: Row | None, period: Period, note: str | None = None) -> Part:
    measure = total.measures[name]
    if measure.suppressed:
        return _hidden(label)
    number: Part = {"label": label, "value": percent(measure.rate), "of": counted_words(measure), "note": note}
    if measure.denominator:
        number["url"] = list_url(period, name, "numerator")
    if measure.is_small:
        number["note"] = sentences((note or "", _(NOTES["small"])))
    earlier = before.measures[name].rate if before else None
    if measure.rate is not None and earlier is not None:
        points = round((measure.rate - earlier) * 100)
        number |= {"change": _change_words(points), "change_tone": "soon" if points < 0 else "info"}
    return number


def _change_words(points: int) -> str:
    if points == 0:
        return _("as in the period before")
    return ngettext("%(num)+d point against the period before", "%(num)+d points against the period before", points)


def _hidden(label: str) -> Part:
    return {"label": label, "value": "–", "of": _("not shown"), "note": _(NOTES["suppressed"])}


def counted_words(measure: Measure) -> str:
    """`38 of 41 dispatched`."""
    if not measure.denominator:
        return _("none was due in this period")
    return _("%(part)s of %(whole)s dispatched", part=_plain(measure.numerator), whole=measure.denominator)


def _pending(total: Row) -> str | None:
    pending = total.measures["stable_pending"].numerator
    if not pending:
        return None
    return ngettext(
        "%(num)d more is confirmed for less than 30 days",
        "%(num)d more are confirmed for less than 30 days",
        int(pending),
    )


def _gap(total: Row) -> str | None:
    claimed, confirmed = total.measures["claimed"], total.measures["confirmed"]
    if claimed.numerator is None or confirmed.numerator is None or not claimed.denominator:
        return None
    return _("Said to be done: %(claimed)s (%(rate)s).", claimed=_plain(claimed.numerator), rate=percent(claimed.rate))


def _plain(number: float | None) -> str:
    return "–" if number is None else f"{number:g}"


def shown_rows(report: Report) -> list[Row]:
    """The rows that count something, most first, then those that are hidden, and the total; none where nothing was due."""
    rows = [row for row in report.rows if row.is_suppressed or row.measures["claimed"].denominator]
    rows.sort(key=lambda row: -(row.measures["claimed"].denominator or 0))
    return [*rows, report.total] if rows else []


def unit_row(row: Row, period: Period, by: str = "unit") -> Part:
    """A unit of the table: how many were dispatched, and each figure with its list."""
    dispatched = row.measures["claimed"]
    cells: Part = {
        "id": row.key or "total",
        "name": {"text": row_name(row), "url": list_url(period, "claimed", "denominator", by=by, key=row.key)},
        "dispatched": _whole_cell(dispatched, period, row, by),
    }
    return cells | {name: rate_cell(row.measures[name], name, period, row, by) for name in SHOWN}


def _whole_cell(measure: Measure, period: Period, row: Row, by: str) -> Part:
    if measure.suppressed:
        return {"words": _("not shown")}
    note = _("few") if measure.is_small else None
    words = str(measure.denominator or 0)
    url = list_url(period, "claimed", "denominator", by=by, key=row.key) if measure.denominator else None
    return {"words": words, "note": note, "url": url}


def rate_cell(measure: Measure, name: str, period: Period, row: Row, by: str) -> Part:
    """`38 / 41 = 93 %` with the list of the 38; without a list where it is not shown or counts nothing."""
    if measure.suppressed:
        return {"words": _("not shown")}
    if not measure.denominator:
        return {"words": "–"}
    words = f"{_plain(measure.numerator)} / {measure.denominator}"
    url = list_url(period, name, "numerator", by=by, key=row.key)
    return {"words": percent(measure.rate), "url": url, "note": words}


def gap_chart(report: Report, period: Period) -> Part | None:
    """By unit: confirmed, said to be done but not confirmed, and not done, as shares of what was dispatched.

    Only the units with the most tickets: a bar of one or two says nothing.
    """
    rows = [
        row for row in shown_rows(report)[:-1] if not row.measures["confirmed"].suppressed and not row.is_suppressed
    ]
    bars = [_gap_bar(row, period) for row in rows[:MOST_BARS]]
    if not bars:
        return None
    note = _("Each part opens its list. Only the first holds; the unit's word alone is not a closure.")
    if len(rows) > MOST_BARS:
        most = _("The %(num)s units with the most tickets; all stand in the table.", num=MOST_BARS)
        note = f"{note} {most}"
    return {
        "by": "unit",
        "title": _("Said to be done, confirmed, stable: by unit"),
        "note": note,
        "series": _series(),
        "bars": bars,
    }


def month_chart(report: Report, months: Period) -> Part | None:
    """The same four parts, month by month; a month whose figures may still change says so."""
    rows = [row for row in report.rows if not row.is_suppressed and row.measures["claimed"].denominator]
    if not rows:
        return None
    return {
        "by": "month",
        "title": _("Said to be done, confirmed, stable: by month"),
        "note": _("By the month in which the tickets were due. A month is closed 35 days after its end."),
        "series": _series(),
        "bars": [_gap_bar(row, months, by="month") for row in rows],
    }


def _series() -> list[str]:
    return [_("holds"), _("confirmed, then back"), _("only said to be done"), _("not done")]


def _gap_bar(row: Row, period: Period, by: str = "unit") -> Part:
    whole = row.measures["claimed"].denominator or 1
    numbers = {name: int(measure_of(row, name).numerator or 0) for name in SHARES}
    words = {
        "holding": _("%(num)s hold", num=numbers["holding"]),
        "unstable": _("%(num)s confirmed, then back", num=numbers["unstable"]),
        "unconfirmed": _("%(num)s only said to be done", num=numbers["unconfirmed"]),
        "undone": _("%(num)s not done", num=numbers["undone"]),
    }
    return {
        "label": row_name(row) if row.is_final else _("%(month)s, not closed yet", month=row_name(row)),
        "words": ngettext("%(num)d dispatched", "%(num)d dispatched", whole),
        "url": list_url(period, "claimed", "denominator", by=by, key=row.key),
        "parts": [
            {
                "share": round(number * 100 / whole, 2),
                "words": words[name],
                "url": list_url(period, name, "numerator", by=by, key=row.key) if number else None,
            }
            for name, number in numbers.items()
        ],
    }


def definitions() -> list[Part]:
    """What stands printed beside the figures."""
    figures = [{"label": _(MEASURES[name].name), "text": _(MEASURES[name].sentence)} for name in SHOWN]
    return [*figures, *({"label": "", "text": _(NOTES[name])} for name in EXPLAINED)]


def measure_words(name: str) -> tuple[str, str]:
    """A figure's name and definition in the reader's language."""
    definition = {**HATCHES, **MEASURES, **SHARES}[name]
    return _(definition.name), _(definition.sentence)


def part_words(measure: str, part: str) -> str:
    """What of a figure a list holds."""
    if measure == "declined" and part == "denominator":
        return _("all that were submitted in the period")
    return {
        "numerator": _("those that count for the figure"),
        "denominator": _("all that the figure is taken of"),
        "left_out": _("those left out"),
    }[part]


def period_words(period: Period) -> str:
    """The days of a period."""
    return str(format_interval(period.first, period.last, "yMMMd", locale=get_locale() or "en"))
