"""WSGI door: what gunicorn and the flask command load."""

from feedback.factory import create_app

app = create_app()
