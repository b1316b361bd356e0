"""Named lists of the desk: links above the filters, a name for the list that is shown, and forgetting one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from feedback.kernel.actor import Actor
from feedback.kernel.db import session
from feedback.kernel.errors import Conflict, Invalid
from feedback.reading.saved_views import drop_view, list_views, save_view
from feedback.web.session import request_now, require, signed_in_actor
from feedback.web.translate import gettext as _

view_pages = Blueprint("views", __name__, url_prefix="/desk/views")

PAGE = "desk"
KEPT = ("tab", "q", "area", "category", "urgency", "overdue")
"""What of the desk's address belongs to a list: its tab and filters, never the place in it."""


@view_pages.post("")
@require("handler", "unit_head")
def save() -> Response:
    """Give the list that was shown a name, and show it again."""
    query = query_of(request.form)
    fields = {"page": PAGE, "name": request.form.get("name", ""), "query": query}
    try:
        save_view(fields, actor=signed_in_actor(), now=request_now())
    except Invalid as invalid:
        problem = next(iter(invalid.errors.values())).render(_)
        flash(_("The list was not kept: %(reason)s", reason=problem), "error")
    except Conflict as conflict:
        flash(conflict.text.render(_), "error")
    else:
        flash(_("Kept: it stands above the filters from now on."), "success")
    return redirect(url_for("desk.desk") + (f"?{query}" if query else ""), 303)


@view_pages.post("/<int:view_id>/delete")
@require("handler", "unit_head")
def drop(view_id: int) -> Response:
    """Forget a name; no ticket is touched."""
    drop_view(view_id, actor=signed_in_actor())
    flash(_("The name is forgotten; the tickets stay where they are."), "success")
    query = query_of(request.form)
    return redirect(url_for("desk.desk") + (f"?{query}" if query else ""), 303)


def query_of(values: Mapping[str, str]) -> str:
    """The part of an address that says which list it is, always in the same order."""
    return urlencode([(name, values[name].strip()) for name in KEPT if values.get(name, "").strip()])


def views_of(actor: Actor, shown: str) -> dict[str, Any]:
    """{links: [{id, name, url, active}], fields}: the actor's named lists, and the fields of the one that is shown."""
    links = [
        {"id": view.id, "name": view.name, "url": f"{url_for('desk.desk')}?{view.query}", "active": view.query == shown}
        for view in list_views(session(), actor, PAGE)
    ]
    return {"links": links, "fields": dict(parse_qsl(shown))}
