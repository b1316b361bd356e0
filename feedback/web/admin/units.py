"""The admin's pages about units: the tree, one unit, a new one; moved with all below it, or ended. Rules are in the rooms."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.calendars.queries import list_calendars
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, VersionConflict
from feedback.people.directory import unit_tree
from feedback.people.models import Unit
from feedback.people.queries import find_unit
from feedback.people.rights import check_admin_of
from feedback.people.unit_changes import AddUnit, ChangeUnit, MoveUnit, add_unit, change_unit, move_unit, stamp_of
from feedback.supervision.unit_end import EndUnit, end_unit, leftovers_of
from feedback.web.admin.accounts import unit_picker_of_admin
from feedback.web.admin.pages import Page
from feedback.web.errors import code_of
from feedback.web.filters import either_name
from feedback.web.forms.admin_units import NewUnitForm, UnitEndForm, UnitForm, UnitPlaceForm
from feedback.web.forms.base import PageForm
from feedback.web.present.admin import unit_row
from feedback.web.present.unit import end_effects, unit_facts
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

unit_pages = Blueprint("admin_units", __name__, url_prefix="/admin")

FIELDS = ("name", "name_en", "kind", "level", "calendar")


@unit_pages.get("/units")
@require("admin")
def index() -> str:
    """The tree of regions and departments."""
    tree = unit_tree(session(), signed_in_actor(), request_now())
    return render_template("admin/units.html", rows=[unit_row(each) for each in tree])


@unit_pages.get("/add-unit")
@require("admin")
def new() -> str:
    """The form for a new unit."""
    return _new_page(NewUnitForm(data={"parent": request.args.get("parent", "")[:200], "kind": "department"}))


def _new_page(form: NewUnitForm) -> str:
    form.offer([row.code for row in list_calendars(session())])
    return render_template("admin/unit_new.html", form=form, offers=unit_picker_of_admin().offers())


@unit_pages.post("/add-unit")
@require("admin")
def create() -> Page:
    """Add it."""
    form = NewUnitForm(request.form)
    try:
        raw = form.raw_fields(("code", *FIELDS))
        parent = unit_picker_of_admin().code_of(form.parent.data or "", "parent")
        code = add_unit(AddUnit.parse({**raw, "parent": parent}), actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict, Forbidden) as refused:
        _tell(form, refused)
        return _new_page(form), code_of(refused)
    return _back(code, _("The unit is there. Now give people roles at it, and name it in the duty catalogue."))


def _tell(form: PageForm, refused: Refused) -> None:
    if isinstance(refused, Invalid):
        form.show_errors(refused.errors)
    else:
        form.form_errors = [*form.form_errors, refused.text.render(_)]
    if isinstance(refused, VersionConflict):
        form["seen"].data = refused.details["version"]


def _back(code: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("admin_units.show", code=code), 303)


@unit_pages.get("/units/<code>")
@require("admin")
def show(code: str) -> str:
    """One unit."""
    return _unit_page(code)


def _unit(code: str) -> Unit:
    unit = find_unit(session(), code) if code.isprintable() else None
    if unit is None:
        raise NotFound
    try:
        check_admin_of(signed_in_actor(), unit)
    except Forbidden as beyond:
        raise NotFound from beyond
    return unit


def _unit_page(code: str, **refused: PageForm) -> str:
    unit, now = _unit(code), request_now()
    seen = {"seen": stamp_of(unit)}
    form = refused.get("unit") or UnitForm(obj=unit, data={**seen, "calendar": unit.calendar_code or ""})
    if isinstance(form, UnitForm):
        form.offer([row.code for row in list_calendars(session())])
    left = leftovers_of(session(), unit, now)
    return render_template(
        "admin/unit.html",
        code=unit.code,
        name=either_name(unit.name, unit.name_en),
        is_top=unit.parent_id is None,
        has_ended=unit.valid_to is not None,
        facts=unit_facts(session(), unit, left, now),
        end_effects=end_effects(left),
        offers=unit_picker_of_admin().offers(),
        forms={
            "unit": form,
            "place": refused.get("place") or UnitPlaceForm(data=seen),
            "end": refused.get("end") or UnitEndForm(data=seen),
        },
    )


@unit_pages.post("/units/<code>")
@require("admin")
def change(code: str) -> Page:
    """Another name, kind, level or calendar."""
    form = UnitForm(request.form)
    try:
        raw = {"code": code, **form.raw_fields((*FIELDS, "seen"))}
        change_unit(ChangeUnit.parse(raw), actor=signed_in_actor(), now=request_now())
    except (Invalid, VersionConflict) as refused:
        _tell(form, refused)
        return _unit_page(code, unit=form), code_of(refused)
    return _back(code, _("Saved."))


@unit_pages.post("/units/<code>/move")
@require("admin")
def move(code: str) -> Page:
    """Put it, with all below it, under another."""
    form = UnitPlaceForm(request.form)
    try:
        parent = unit_picker_of_admin().code_of(form.parent.data or "", "parent")
        raw = {"code": code, "parent": parent, **form.raw_fields(("seen",))}
        move_unit(MoveUnit.parse(raw), actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict) as refused:
        _tell(form, refused)
        return _unit_page(code, place=form), code_of(refused)
    return _back(code, _("Moved, with all that stands below it."))


@unit_pages.post("/units/<code>/end")
@require("admin")
def end(code: str) -> Page:
    """Dissolve it, or merge it into another."""
    form = UnitEndForm(request.form)
    try:
        raw = {"code": code, **form.raw_fields(("seen",))}
        if (form.successor.data or "").strip():
            raw["successor"] = unit_picker_of_admin().code_of(form.successor.data or "", "successor")
        end_unit(EndUnit.parse(raw), actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict) as refused:
        _tell(form, refused)
        return _unit_page(code, end=form), code_of(refused)
    flash(_("The unit has ended; what it did stays on record."), "success")
    return redirect(url_for("admin_units.index"), 303)
