"""A plain Flask app that renders the shared macros (templates/dev/kitchen.html) without database, sign-in or factory.

`python -m tests.web.kitchen_app` serves it on port 5055 to look at while working on the theme."""

import gzip
import hashlib
from functools import lru_cache, partial
from pathlib import Path
from types import SimpleNamespace

import flask_bootstrap
from flask import Flask, Response, make_response, render_template, render_template_string, request, send_file
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from lucide.jinja import lucide

from feedback.web.forms.kitchen import KitchenForm

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "css" / "bootstrap.min.css"
CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'"
ERRORS = (400, 403, 404, 409, 413, 422, 429, 500, 503)


def asset_path(name: str) -> Path:
    """The file behind a name as templates write it: Bootstrap's from its package, the rest from static/."""
    return BOOTSTRAP if name == "bootstrap.min.css" else ROOT / "static" / name


def asset(name: str) -> str:
    """The address of a static file, with its digest so that it may be cached for good."""
    return f"/assets/{name}?v={hashlib.sha256(asset_path(name).read_bytes()).hexdigest()[:10]}"


def create_kitchen(translations: Path = ROOT / "feedback" / "translations") -> Flask:
    """The app: /kitchen, /receipt, /error/<code> and the assets, gzipped, under the strict policy of the real pages."""
    app = Flask("kitchen", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(SECRET_KEY="only for the kitchen", TESTING=True, BABEL_DEFAULT_LOCALE="en")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(translations)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals.update(asset=lru_cache(asset), lucide=lru_cache(lucide))
    app.jinja_env.globals.update(kept_text=lambda macro, *given, **named: macro(*given, **named), keeping=partial)
    CSRFProtect(app)
    Babel(app, locale_selector=locale)
    app.context_processor(frame)
    app.add_url_rule("/kitchen", view_func=kitchen)
    app.add_url_rule("/receipt", view_func=receipt)
    app.add_url_rule("/error/<int:code>", view_func=error)
    app.add_url_rule("/unread.json", "unread", lambda: {"unread": 5})
    app.add_url_rule("/assets/<path:name>", "assets", lambda name: send_file(asset_path(name), max_age=31536000))
    app.after_request(finish)
    return app


def locale() -> str:
    """Chinese unless the address asks for English."""
    return "en" if request.args.get("lang") == "en" else "zh"


def frame() -> dict[str, object]:
    """What the real factory's context processor gives every page."""
    signed_in = "out" not in request.args
    nav = [
        {"url": "/kitchen", "label": "办理台" if locale() == "zh" else "Desk", "active": True, "count": 31},
        {"url": "/kitchen", "label": "派单" if locale() == "zh" else "Dispatch", "count": 4},
        {"url": "/kitchen", "label": "领导一页" if locale() == "zh" else "Review"},
    ]
    return {
        "me": SimpleNamespace(name="周敏", roles=["经办人 · 水务局"]) if signed_in else None,
        "nav": nav if signed_in else [],
        "unread": 3,
        "unread_url": "/unread.json" if signed_in else None,
        "locale": "en" if locale() == "en" else "zh_CN",
        "large_text": request.args.get("text") == "large",
    }


def kitchen() -> str:
    """Every macro in every state."""
    bad = KitchenForm(data={"place": "x"}, prefix="bad", meta={"csrf": False})
    bad.validate()
    return render_template("dev/kitchen.html", form=KitchenForm(), bad_form=bad, kitchen_url="/kitchen")


def receipt() -> str:
    """A page that says the draft arrived."""
    source = "{% extends 'base.html' %}{% import 'macros/chrome.html' as chrome %}{% block scripts %}"
    source += "<script type='module' src=\"{{ asset('js/draft.js') }}\"></script>{% endblock %}"
    source += "{% block content %}<h1>Receipt</h1>{{ chrome.draft_clear('kitchen') }}{% endblock %}"
    return render_template_string(source)


def error(code: int) -> tuple[str, int]:
    """One of the error pages with everything a door may add."""
    extra = {"kept": [{"label": "text", "text": "停水 <b>两天</b>"}], "retry_after": 30, "reference": "9f31"}
    return render_template(f"errors/{code}.html", error=extra if "full" in request.args else {}), code


def finish(response: Response) -> Response:
    """The strict policy, and gzip where the browser takes it."""
    response.headers["Content-Security-Policy"] = CSP
    if "gzip" in request.headers.get("Accept-Encoding", "") and not response.is_streamed:
        response.set_data(gzip.compress(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
    return make_response(response)


if __name__ == "__main__":
    create_kitchen().run(port=5055)
