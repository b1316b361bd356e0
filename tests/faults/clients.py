"""Clients that submit through the API with a key for each ticket, and ask again with it until they are told."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from random import Random

from tests.faults.ledger import ANSWERED, BROKEN, REFUSED_LINK, Call, Ledger
from tests.faults.site import HOST

PATIENCE = 20.0
"""Seconds that a client waits for one answer."""
GIVES_UP = 180.0
"""Seconds after which a submission that nobody answers is written down as never answered."""


class Clients:
    """Threads, each an account with tokens of its own. They go on until `finish`, which lets each end its last ticket."""

    def __init__(self, port: int, tokens: list[list[str]], ledger: Ledger, seed: int, pause: float = 0.0) -> None:
        self.port, self.ledger, self.pause = port, ledger, pause
        self.ending = threading.Event()
        self.stuck: list[str] = []
        self._open: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._live, args=(number, held, Random(seed * 1000 + number)))
            for number, held in enumerate(tokens)
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

    def _live(self, number: int, tokens: list[str], draw: Random) -> None:
        count = 0
        while not self.ending.is_set():
            key = f"k{number}-{count}-{draw.randrange(10**9)}"
            words = {"text": f"The lamp at the bridge is dark. key={key}."}
            if draw.random() < 0.6:
                words["category"] = draw.choice(["water", "roads", "works/a"])
            self.ledger.write("asked", key=key)
            self._submit(key, words, lambda: draw.choice(tokens), draw)
            count += 1
            if self.pause:
                self.ending.wait(draw.uniform(0, 2 * self.pause))

    def _submit(self, key: str, words: dict[str, str], token: Callable[[], str], draw: Random) -> None:
        until = time.monotonic() + GIVES_UP
        while time.monotonic() < until:
            call = self._call(key, words, token())
            self.ledger.write("call", **vars(call))
            if call.outcome == ANSWERED and call.status not in (429, 503):
                return
            time.sleep(draw.uniform(0.02, 0.2))
        self.stuck.append(key)

    def _call(self, key: str, words: dict[str, str], token: str) -> Call:
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Connection": "close",
        }
        link = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        sent = time.monotonic()
        try:
            link.connect()
        except OSError:
            return Call(key, REFUSED_LINK, sent, time.monotonic())
        try:
            self._open[key] = sent
            link.request("POST", "/api/v1/tickets", json.dumps(words), headers)
            answer = link.getresponse()
            document = json.loads(answer.read() or b"{}")
            if answer.status == 201:
                self.ledger.write("clocks", reference=document["reference"], clocks=document["clocks"])
            reference = document.get("reference", "")
            return Call(key, ANSWERED, sent, time.monotonic(), answer.status, reference)
        except (OSError, http.client.HTTPException, ValueError):
            return Call(key, BROKEN, sent, time.monotonic())
        finally:
            self._open.pop(key, None)
            link.close()
