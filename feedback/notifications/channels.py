"""How a mail leaves: an SMTP server named by SMTP_URL. What it says and who gets it is decided elsewhere."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

SECONDS = 10.0
"""The longest silence of a mail server that is waited out."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?")


_OURS = (530, 534, 535, 538)
"""Refusals for want of a sign-in or encryption: the site's settings are wrong, not the mail."""


class NotNow(Exception):
    """It did not go out, but may later; the message says at which step, never to whom."""


class Never(Exception):
    """It will not go out however often it is tried."""


@dataclass(frozen=True)
class Mail:
    """One mail to one address. `message_id` stays the same over all attempts."""

    message_id: str
    address: str
    subject: str
    body: str
    at: datetime


@dataclass(frozen=True)
class MailServer:
    """What SMTP_URL says: smtp://user:password@host:port?from=ADDRESS&starttls=1, or smtps://…"""

    host: str
    port: int
    user: str
    password: str
    sender: str
    is_tls: bool
    is_starttls: bool


def is_address(text: str | None) -> bool:
    """Whether this is one plain mail address: no name, no second address, nothing that could end a header."""
    return bool(text and _ADDRESS.fullmatch(text))


def parse_server(smtp_url: str, *, mail_host: str) -> MailServer:
    """The server of an SMTP_URL; without `from` mails come from zhida@mail_host."""
    parts = urlsplit(smtp_url)
    choices = parse_qs(parts.query, keep_blank_values=True)
    is_tls = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or (465 if is_tls else 25),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=choices.get("from", [f"zhida@{mail_host}"])[0],
        is_tls=is_tls,
        is_starttls=choices.get("starttls", ["0"])[0] not in ("0", "no", "false"),
    )


def send_mail(server: MailServer, mail: Mail, *, seconds: float = SECONDS) -> None:
    """Hand one mail to the server. Raises NotNow, or Never for a refusal (5xx) of sender, recipient or content."""
    if not is_address(mail.address):
        raise Never("the address is none")
    try:
        message = _message(server, mail)
    except (ValueError, MessageError) as error:
        raise Never("a header can't be written") from error
    with _connected(server, seconds) as link:
        try:
            link.send_message(message, server.sender, [mail.address])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise _refusal(code, "recipient") from None
        except smtplib.SMTPSenderRefused as error:
            raise _refusal(error.smtp_code, "sender") from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, "content") from None


def _refusal(code: int, step: str) -> NotNow | Never:
    # A server's own words often repeat the address; code and step say enough.
    kind = Never if 500 <= code <= 599 and code not in _OURS else NotNow
    return kind(f"{code} at {step}")


@contextmanager
def _connected(server: MailServer, seconds: float) -> Iterator[smtplib.SMTP]:
    """A session with the server. What goes wrong before or beside the mail itself is nobody's refusal: NotNow."""
    link: smtplib.SMTP | None = None
    try:
        context = ssl.create_default_context()
        if server.is_tls:
            link = smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        else:
            link = smtplib.SMTP(server.host, server.port, timeout=seconds)
        if server.is_starttls:
            link.starttls(context=context)
        if server.user:
            link.login(server.user, server.password)
        link.ehlo_or_helo_if_needed()
        yield link
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        code = getattr(error, "smtp_code", None)
        raise NotNow(f"{type(error).__name__}{f' {code}' if code else ''}") from None
    finally:
        if link is not None:
            _leave(link)


def _leave(link: smtplib.SMTP) -> None:
    """Say goodbye without waiting long: the mail's fate is decided already."""
    try:
        if link.sock is not None:
            link.sock.settimeout(1.0)
            link.quit()
    except (smtplib.SMTPException, OSError):
        link.close()


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.at)
    message["From"] = server.sender
    message["To"] = mail.address
    message["Subject"] = mail.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="base64")
    return message
