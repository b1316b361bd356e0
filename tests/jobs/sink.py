"""A real SMTP server for tests: it keeps each message with its envelope, and can be told to refuse, stall or break off."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Taken:
    """One message with the envelope it came in."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class Sink:
    """`refusals` maps an address to the answer to its RCPT; `data_answer` replaces the answer to DATA; `stall` is seconds."""

    refusals: dict[str, str] = field(default_factory=dict)
    data_answer: str | None = None
    stall: dict[str, float] = field(default_factory=dict)
    drops_after_data: int = 0
    taken: list[Taken] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?from=zhida@county.test"

    def close(self) -> None:
        self.controller.stop()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.tries.append(address)
        await asyncio.sleep(self.stall.get(address, 0))
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        with self._lock:
            if self.data_answer is None:
                self.taken.append(Taken(envelope.mail_from or "", list(envelope.rcpt_tos), content))
            if self.drops_after_data:
                self.drops_after_data -= 1
                transport: Any = server.transport
                transport.abort()
        return self.data_answer or "250 taken"
