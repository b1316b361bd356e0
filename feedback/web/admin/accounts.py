"""The admin's pages about people: who has an account, one account with all that can be done to it, and new ones.

What each act does is said before it is done; its rules are the people's room's.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Forbidden, Invalid, Refused, VersionConflict
from feedback.kernel.text import N_, Text
from feedback.people import credentials, usecases
from feedback.people.deputies import SetDeputy, end_deputy, list_deputies, set_deputy
from feedback.people.directory import count_accounts, get_account, list_accounts
from feedback.people.password_links import IssuedLink, issue_link
from feedback.people.queries import list_sessions, list_units
from feedback.people.staffing import (
    ChangeAccount,
    MoveAccount,
    change_account,
    end_all_access,
    move_account,
    stamp_of,
)
from feedback.people.tokens import list_tokens
from feedback.supervision.left_behind import count_in_hand, free_left_tickets
from feedback.web.admin.pages import LONGEST_SEARCH, Page, mail_to_person, site_address
from feedback.web.errors import code_of
from feedback.web.filters import address, left_out_words
from feedback.web.forms.admin import AccountFilterForm
from feedback.web.forms.admin_accounts import DeputyForm, MoveForm, NewPersonForm, PersonForm, RoleForm, role_options
from feedback.web.forms.base import PageForm, offer, option
from feedback.web.present.admin import account_row
from feedback.web.present.cells import exact
from feedback.web.present.person import (
    deputy_rows,
    move_effects,
    person_facts,
    role_rows,
    shut_effects,
    units_held,
)
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _
from feedback.web.translate import ngettext
from feedback.web.unit_picker import UnitPicker

account_pages = Blueprint("admin_accounts", __name__, url_prefix="/admin")


@account_pages.get("/accounts")
@require("admin")
def index() -> str:
    """Who has an account, with the roles they hold."""
    actor, now = signed_in_actor(), request_now()
    q = request.args.get("q", "").strip()
    left_out = []
    if len(q) > LONGEST_SEARCH or not q.isprintable():
        left_out.append(
            _("The search was left out: at most %(limit)s characters that can be seen.", limit=LONGEST_SEARCH)
        )
        q = ""
    try:
        page = list_accounts(session(), actor, now=now, q=q, cursor=request.args.get("cursor"))
    except Invalid as refused:
        left_out.append(left_out_words("cursor", refused))
        page = list_accounts(session(), actor, now=now, q=q)
    kept = {"q": q} if q else {}
    return render_template(
        "admin/accounts.html",
        rows=[account_row(each, now) for each in page.items],
        form=AccountFilterForm(data=kept),
        kept=kept,
        left_out=left_out,
        pager={
            "words": ngettext("%(num)d account", "%(num)d accounts", count_accounts(session(), actor)),
            "first": address("admin_accounts.index", kept) if request.args.get("cursor") else None,
            "next": address("admin_accounts.index", kept, cursor=page.next) if page.next else None,
        },
    )


def unit_picker_of_admin() -> UnitPicker:
    """The picker over the units in force of which whoever asks is admin."""
    paths = [grant.unit_path for grant in signed_in_actor().grants_for("admin")]
    units = list_units(session(), request_now())
    return UnitPicker([unit for unit in units if any(unit.path.startswith(path) for path in paths)])


@account_pages.get("/add-account")
@require("admin")
def new() -> str:
    """The form for a new person."""
    return _new_page(NewPersonForm())


def _new_page(form: NewPersonForm) -> str:
    form.role.choices = role_options()
    return render_template("admin/account_new.html", form=form, offers=unit_picker_of_admin().offers())


@account_pages.post("/add-account")
@require("admin")
def create() -> Page:
    """Add a person, and show the link with which they choose their password."""
    form, actor, now = NewPersonForm(request.form), signed_in_actor(), request_now()
    try:
        raw = form.raw_fields(("login", "name", "email", "phone"))
        made = usecases.create_account(
            usecases.CreateAccount.parse({**raw, "roles": [_role_of(form)]}), actor=actor, now=now
        )
    except (Invalid, Forbidden) as refused:
        _tell(form, refused, {"roles": "unit"})
        return _new_page(form), code_of(refused)
    return _show_link(issue_link(usecases.OfAccount(login=made.login), actor=actor, now=now))


def _role_of(form: NewPersonForm | RoleForm) -> str:
    """`role@unit` as chosen and typed. Raises Invalid at `role` or `unit`."""
    errors = {name: Text(N_("This is needed.")) for name in ("role", "unit") if not (form[name].data or "").strip()}
    if errors:
        raise Invalid(errors)
    return f"{form.role.data}@{unit_picker_of_admin().code_of(form.unit.data or '', 'unit')}"


def _tell(form: PageForm, refused: Refused, names: dict[str, str] | None = None) -> None:
    """Put a refusal at the fields of a form; `names` are fields that the command calls otherwise."""
    if isinstance(refused, Invalid):
        form.show_errors({(names or {}).get(name, name): text for name, text in refused.errors.items()})
    else:
        form.form_errors = [*form.form_errors, refused.text.render(_)]


def _show_link(link: IssuedLink) -> str:
    """The one page that ever shows the link. It is no redirect: what a redirect carries along would lie in a cookie."""
    url = site_address(url_for("password.choose", token=link.token))
    return render_template(
        "admin/account_link.html",
        login=link.login,
        purpose=link.purpose,
        url=url,
        expires=exact(link.expires_at),
        mailed=mail_to_person(link, url),
        email=link.email,
    )


@account_pages.get("/accounts/<login>")
@require("admin")
def show(login: str) -> str:
    """One account."""
    return _person_page(login)


def _person_page(login: str, **refused: PageForm) -> str:
    now = request_now()
    account, view = get_account(session(), signed_in_actor(), login, now)
    sessions = len(list_sessions(session(), account.id, now, idle=credentials.IDLE))
    tokens, in_hand = len(list_tokens(session(), account.id, now)), count_in_hand(session(), account.id)
    role, move = refused.get("role") or RoleForm(), refused.get("move") or MoveForm()
    offer(role, "role", role_options())
    offer(move, "from_unit", [option(code, name) for code, name in units_held(view).items()])
    forms: dict[str, Any] = {
        "person": refused.get("person") or PersonForm(obj=account, data={"seen": stamp_of(account)}),
        "role": role,
        "move": move,
        "deputy": refused.get("deputy") or DeputyForm(),
    }
    return render_template(
        "admin/account.html",
        login=account.login,
        name=account.name,
        is_active=account.is_active,
        has_password=view.has_password,
        is_me=account.id == signed_in_actor().account_id,
        facts=person_facts(account, view, sessions, now),
        roles=role_rows(view),
        deputies=deputy_rows(list_deputies(session(), account.id, now), account.login),
        shut_effects=shut_effects(sessions, tokens, in_hand),
        move_effects=move_effects(in_hand),
        offers=unit_picker_of_admin().offers(),
        forms=forms,
    )


def _back(login: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("admin_accounts.show", login=login), 303)


@account_pages.post("/accounts/<login>")
@require("admin")
def change(login: str) -> Page:
    """Another name, address or language."""
    form = PersonForm(request.form)
    try:
        raw = form.raw_fields(("name", "email", "phone", "locale", "seen"))
        change_account(ChangeAccount.parse({"login": login, **raw}), actor=signed_in_actor(), now=request_now())
    except (Invalid, VersionConflict) as refused:
        _tell(form, refused)
        if isinstance(refused, VersionConflict):
            form.seen.data = refused.details["version"]
        return _person_page(login, person=form), code_of(refused)
    return _back(login, _("Saved."))


@account_pages.post("/accounts/<login>/roles")
@require("admin")
def grant(login: str) -> Page:
    """One more role."""
    form = RoleForm(request.form)
    get_account(session(), signed_in_actor(), login, request_now())  # nobody beyond their reach is theirs to draw in
    try:
        cmd = usecases.OfRole.parse({"login": login, "role": _role_of(form)})
        usecases.grant_role(cmd, actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        _tell(form, refused, {"roles": "unit"})
        return _person_page(login, role=form), code_of(refused)
    return _back(login, _("The role holds from now on."))


@account_pages.post("/accounts/<login>/roles/revoke")
@require("admin")
def revoke(login: str) -> Page:
    """Take a role away, at once."""
    cmd = usecases.OfRole.parse({"login": login, "role": request.form.get("role", "")})
    changed = usecases.revoke_role(cmd, actor=signed_in_actor(), now=request_now())
    return _back(login, _after_leaving(_("The role is taken away."), changed))


@account_pages.post("/accounts/<login>/move")
@require("admin")
def move(login: str) -> Page:
    """All roles at one unit go to another."""
    form = MoveForm(request.form)
    try:
        to_unit = unit_picker_of_admin().code_of(form.to_unit.data or "", "to_unit")
        cmd = MoveAccount.parse({"login": login, "from_unit": form.from_unit.data or "", "to_unit": to_unit})
        changed = move_account(cmd, actor=signed_in_actor(), now=request_now())
    except Invalid as refused:
        _tell(form, refused)
        return _person_page(login, move=form), code_of(refused)
    return _back(login, _after_leaving(_("Moved; it holds from now on."), changed))


def _after_leaving(words: str, changed: usecases.AccountRef) -> str:
    """Let fall back what somebody who left had in hand, and say how much it was."""
    freed = free_left_tickets(request_now(), account_id=changed.account_id)
    if not freed:
        return words
    told = ngettext(
        "%(num)d ticket is back in its unit's list.", "%(num)d tickets are back in their units' lists.", freed
    )
    return f"{words} {told}"


@account_pages.post("/accounts/<login>/disable")
@require("admin")
def disable(login: str) -> Page:
    """Shut the account."""
    cmd = usecases.OfAccount.parse({"login": login})
    changed = usecases.disable_account(cmd, actor=signed_in_actor(), now=request_now())
    return _back(login, _after_leaving(_("The account is shut."), changed))


@account_pages.post("/accounts/<login>/enable")
@require("admin")
def enable(login: str) -> Page:
    """Open it again."""
    usecases.enable_account(usecases.OfAccount.parse({"login": login}), actor=signed_in_actor(), now=request_now())
    return _back(login, _("The account is open again."))


@account_pages.post("/accounts/<login>/sign-out")
@require("admin")
def sign_out(login: str) -> Page:
    """End every session and token."""
    end_all_access(usecases.OfAccount.parse({"login": login}), actor=signed_in_actor(), now=request_now())
    return _back(login, _("They are signed out everywhere."))


@account_pages.post("/accounts/<login>/link")
@require("admin")
def link(login: str) -> Page:
    """Make a link with which they choose a password, and show it."""
    return _show_link(
        issue_link(usecases.OfAccount.parse({"login": login}), actor=signed_in_actor(), now=request_now())
    )


@account_pages.post("/accounts/<login>/deputies")
@require("admin")
def deputy(login: str) -> Page:
    """Let somebody stand in."""
    form = DeputyForm(request.form)
    try:
        raw = {"deputy": "", **form.raw_fields(("deputy", "valid_from", "valid_to"))}
        set_deputy(SetDeputy.parse({"login": login, **raw}), actor=signed_in_actor(), now=request_now())
    except (Invalid, Conflict) as refused:
        _tell(form, refused)
        return _person_page(login, deputy=form), code_of(refused)
    return _back(login, _("Noted who stands in."))


@account_pages.post("/accounts/<login>/deputies/<int:deputy_id>/end")
@require("admin")
def end_of_deputy(login: str, deputy_id: int) -> Page:
    """End a line of this account at once."""
    end_deputy(deputy_id, login=login, actor=signed_in_actor(), now=request_now())
    return _back(login, _("It is ended."))
