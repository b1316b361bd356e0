"""The mail that brings a one-time link. It is sent at once or not at all: a link that waited somewhere could be read there."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from feedback.kernel.text import N_, Text
from feedback.notifications.channels import Mail, Never, NotNow, is_address, parse_server, send_mail
from feedback.notifications.words import translator
from feedback.people.password_links import IssuedLink
from feedback.settings import Settings

SECONDS = 5.0
"""Whoever made the link waits for this page: they have the link itself, so the mail server gets little time."""

_SUBJECT = N_("Zhida: choose your password")
_BODIES = {
    "invite": N_(
        "There is an account for you: %(login)s. Choose your password here within 72 hours; the link works once:\n\n%(url)s\n"
    ),
    "reset": N_(
        "A new password can be chosen for %(login)s here within 30 minutes; the link works once:\n\n%(url)s\n\n"
        "You did not ask for it? Then do nothing; your password stays."
    ),
}

log = logging.getLogger(__name__)


def mail_link(link: IssuedLink, url: str, *, settings: Settings, now: datetime) -> bool:
    """Send the link to the account's address; False where there is none, no mail server, or it did not take it."""
    if settings.smtp_url is None or not is_address(link.email):
        return False
    host = urlsplit(settings.base_url).hostname or "localhost"
    translate = translator(link.locale or settings.default_locale)
    body = Text(_BODIES[link.purpose], login=link.login, url=url).render(translate)
    message_id = f"<link-{secrets.token_hex(8)}@{host}>"
    mail = Mail(message_id, link.email or "", Text(_SUBJECT).render(translate), body, now)
    try:
        send_mail(parse_server(settings.smtp_url, mail_host=host), mail, seconds=SECONDS)
    except (Never, NotNow) as trouble:
        log.warning("a link could not be mailed: %s", trouble)
        return False
    return True
