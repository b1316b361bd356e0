"""The application with its commands: what `flask` loads. gunicorn may load it too; serve.py takes less time and memory."""

from feedback.cli.commands import add_commands
from feedback.factory import create_app

app = add_commands(create_app())
