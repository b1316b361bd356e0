"""The bare Flask page that every figure is measured beside: no database, no session, no template."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """A line."""
    return "hello"
