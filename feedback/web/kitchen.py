"""The page of samples, /dev/kitchen: every shared part in every state. Only in development and testing."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, url_for
from werkzeug.wrappers import Response

from feedback.settings import Settings
from feedback.web.forms.kitchen import KitchenForm
from feedback.web.session import require

kitchen_pages = Blueprint("kitchen", __name__)


@kitchen_pages.get("/dev/kitchen")
@require("anyone")
def kitchen() -> str:
    """Every macro in every state, with a refused form among them."""
    bad = KitchenForm(data={"place": "x"}, prefix="bad", meta={"csrf": False})
    bad.validate()
    return render_template("dev/kitchen.html", form=KitchenForm(), bad_form=bad, kitchen_url=url_for("kitchen.kitchen"))


@kitchen_pages.post("/dev/kitchen")
@require("anyone")
def tried() -> Response:
    """Its forms can be sent, and do nothing."""
    return redirect(url_for("kitchen.kitchen"), 303)


def init_kitchen(app: Flask) -> None:
    """Register the page unless real people use this site."""
    settings: Settings = app.config["SETTINGS"]
    if not settings.is_production:
        app.register_blueprint(kitchen_pages)
