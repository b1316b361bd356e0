"""WSGI door: what gunicorn loads, as ./start has it."""

from feedback.factory import create_app

app = create_app()
