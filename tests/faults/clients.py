"""Clients that submit through the API with a key for each ticket, and ask again with it until they are told."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.faults.ledger import ANSWERED, BROKEN, REFUSED_LINK, Call, Ledger
from tests.faults.site import HOST

PATIENCE = 20.0
"""Seconds that a client waits for one answer."""
GIVES_UP = 180.0
"""Seconds after which a submission that nobody answers is written down as never answered."""


@dataclass(frozen=True)
class Exchange:
    """One message and what came back, if anything did; `sent` and `ended` are monotonic seconds."""

    outcome: str
    sent: float
    ended: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def as_call(self, key: str, reference: str = "") -> Call:
        """The same for the ledger."""
        return Call(key, self.outcome, self.sent, self.ended, self.status, reference)


class Clients:
    """Threads, each an account with tokens of its own. They go on until `finish`, which lets each end its last ticket."""

    def __init__(self, port: int, tokens: list[list[str]], ledger: Ledger, seed: int, pause: float = 0.0) -> None:
        self.port, self.tokens, self.ledger, self.pause = port, tokens, ledger, pause
        self.ending = threading.Event()
        self.stuck: list[str] = []
        self.told = 0
        self._open: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._live, args=(number, Random(seed * 1000 + number)))
            for number in range(len(tokens))
        ]

    def begin(self) -> None:
        """Start sending."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Take no new ticket in hand, and wait until the last one of each was answered."""
        self.ending.set()
        for thread in self._threads:
            thread.join()

    def in_flight(self) -> int:
        """Calls that were sent and not yet answered."""
        return len(self._open)

    def submit_one(self, number: int, key: str, draw: Random) -> None:
        """Client `number` submits the ticket of this key, and stops when it was told or gives up."""
        words = {"text": words_of(key)}
        if draw.random() < 0.6:
            words["category"] = draw.choice(["water", "roads", "works/a"])
        self.submit_json(number, key, words, draw)

    def submit_json(self, number: int, key: str, words: dict[str, str], draw: Random) -> str:
        """Submit through the API; the reference that was told."""
        body = json.dumps(words).encode()

        def ask() -> Call:
            done = self.exchange(key, "/api/v1/tickets", body, self.api_headers(number, key, draw))
            document = json.loads(done.body) if done.status == 201 else {}
            if document:
                self.ledger.write("clocks", reference=document["reference"], clocks=document["clocks"])
            return done.as_call(key, document.get("reference", ""))

        return self.until_told("call", key, ask, draw).reference

    def until_told(self, kind: str, key: str, ask: Callable[[], Call], draw: Random) -> Call:
        """Ask again until there is an answer, each try a line of the ledger; the last of them."""
        until = time.monotonic() + GIVES_UP
        while True:
            call = ask()
            self.ledger.write(kind, **vars(call))
            if call.outcome == ANSWERED and call.status not in (429, 503):
                self.told += 1
                return call
            if time.monotonic() > until:
                self.stuck.append(key)
                return call
            time.sleep(draw.uniform(0.02, 0.2))

    def api_headers(
        self, number: int, key: str, draw: Random, content_type: str = "application/json"
    ) -> dict[str, str]:
        """What a call of this client needs."""
        return {
            "Authorization": f"Bearer {draw.choice(self.tokens[number])}",
            "Idempotency-Key": key,
            "Content-Type": content_type,
        }

    def exchange(self, key: str, path: str, body: bytes, headers: dict[str, str]) -> Exchange:
        """Send one message on a line of its own, and wait for its answer."""
        link = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        sent = time.monotonic()
        try:
            link.connect()
        except OSError:
            return Exchange(REFUSED_LINK, sent, time.monotonic())
        try:
            self._open[key] = sent
            link.request("POST", path, body, {**headers, "Connection": "close"})
            answer = link.getresponse()
            told = answer.read()
            if answer.status not in (201, 303):
                self.ledger.write(
                    "bad answer", key=key, status=answer.status, body=told[:20_000].decode(errors="replace")
                )
            return Exchange(ANSWERED, sent, time.monotonic(), answer.status, dict(answer.getheaders()), told)
        except (OSError, http.client.HTTPException):
            return Exchange(BROKEN, sent, time.monotonic())
        finally:
            self._open.pop(key, None)
            link.close()

    def _live(self, number: int, draw: Random) -> None:
        count = 0
        while not self.ending.is_set():
            key = f"k{number}-{count}-{draw.randrange(10**9)}"
            self.ledger.write("asked", key=key)
            self.submit_one(number, key, draw)
            count += 1
            if self.pause:
                self.ending.wait(draw.uniform(0, 2 * self.pause))


def words_of(key: str) -> str:
    """A text from which a judge reads the key again."""
    return f"The lamp at the bridge is dark. key={key}."
