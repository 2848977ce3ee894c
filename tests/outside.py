"""The world outside, real but on the loopback: the card processor's simulator and a mail inbox, one per process, and a
merchant's own system, one per test."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
import requests
from aiosmtpd.controller import Controller

from infra.embedded.ports import free_port
from infra.mailbox import pop, returns, smtp, web
from infra.mailbox.store import Message, Store, TextMessage
from infra.stripe_simulator import serve


class Processor:
    """The running simulator as tests see it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fail(self, account: str, mode: str, pattern: str, *, times: int = 1, method: str = "POST") -> None:
        """Have the account's next calls to such a path fail in this mode (see the simulator's README)."""
        fault = {"path_pattern": pattern, "mode": mode, "times": times, "method": method}
        self._post("switches", {"account": account, "fail_next": [fault]})

    def faults(self) -> list[dict[str, Any]]:
        """Calls that are still to fail."""
        answer = requests.get(f"{self.url}/_simulator/switches", timeout=10)
        return list(answer.json()["fail_next"])

    def switch(self, account: str, **switches: Any) -> None:
        """Set switches of an account."""
        self._post("switches", {"account": account, **switches})

    def authenticate(self, page: str, *, passed: bool = True) -> None:
        """Answer the bank's question (3-D Secure) as the buyer would."""
        answer = requests.post(
            page, data={"result": "complete" if passed else "fail"}, allow_redirects=False, timeout=10
        )
        assert answer.status_code in (200, 303), answer.text

    def webhooks(self, url: str | None, secret: str) -> None:
        """Where events go."""
        self._post("webhooks", {"url": url, "secret": secret})

    def resend(self, account: str) -> int:
        """Send the account's stored events once more. Returns how many."""
        return int(self._post("webhooks/resend", {"account": account})["queued"])

    def advance(self, account: str, seconds: int) -> None:
        """Move the account's own clock."""
        self._post("clock", {"account": account, "advance_seconds": seconds})

    def journal(self, account: str) -> list[dict[str, Any]]:
        """Every call of the account that could change something, oldest first."""
        answer = requests.get(f"{self.url}/_simulator/journal", params={"account": account}, timeout=10)
        return list(answer.json()["data"])

    def effects(self, account: str, *kinds: str) -> list[tuple[str, int]]:
        """What happened to the account's cards: (authorize, capture, release..., minor units), in order."""
        return [
            (effect["effect"], effect["amount"])
            for line in self.journal(account)
            for effect in line["effects"]
            if not kinds or effect["effect"] in kinds
        ]

    def _post(self, door: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/_simulator/{door}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


class Inbox:
    """Mail as it was taken by a real SMTP server, texts as a gateway took them, and the mailbox that Kept reads."""

    PASSWORD = "letters in"
    ADDRESS = "mail@kept.example"

    def __init__(self, store: Store, smtp_port: int, pop_port: int, http_port: int) -> None:
        self.store = store
        self.smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        self.pop_url = f"pop3://mail:{quote(self.PASSWORD)}@127.0.0.1:{pop_port}"
        self.sms_url = f"http://127.0.0.1:{http_port}/sms"

    def to(self, address: str) -> list[Message]:
        """Mails to one address, oldest first."""
        return self.store.messages(to=address)

    def raw(self, address: str) -> list[bytes]:
        """The same mails as they came."""
        return [content for mail in self.to(address) if (content := self.store.content(mail.id)) is not None]

    def texts_to(self, number: str) -> list[TextMessage]:
        """Texts to one number, oldest first."""
        return [text for text in self.store.texts() if text.to == number]

    def answer(self, address: str, text: str, *, sender: str = "") -> bytes:
        """Have the buyer reply to the newest mail; `sender`: from another address. Returns the reply."""
        made = returns.reply(self.raw(address)[-1], text)
        assert made is not None
        content, writer, to = made
        if sender:
            content = content.replace(f"From: {writer}".encode(), f"From: {sender}".encode())
        self.store.add(content, sender or writer, [to])
        return content

    def refuse(self, address: str, code: int) -> None:
        """Answer this recipient with an SMTP code from now on; 0 accepts again."""
        self.store.refuse(address, code)


class System:
    """A merchant's own system, which messages may be handed to: its address, the status it answers, and every call it
    got as (headers, body)."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                system.got.append((dict(self.headers), body))
                self.send_response(system.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notices"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture(scope="session")
def processor() -> Iterator[Processor]:
    """This process's card processor."""
    with serve() as running:
        yield Processor(running.url)


@pytest.fixture(scope="session")
def inbox() -> Iterator[Inbox]:
    """This process's mail server."""
    with tempfile.TemporaryDirectory(prefix="kept_mail") as folder:
        store = Store(Path(folder) / "mail.sqlite")
        port, pop_port, http_port = free_port(), free_port(), free_port()
        factory = smtp.protocol(store)
        taking = Controller(None, hostname="127.0.0.1", port=port)
        taking.factory = factory  # type: ignore[method-assign]
        taking.start()
        handing_out = asyncio.start_server(pop.serving(store, Inbox.PASSWORD), "127.0.0.1", pop_port)
        asyncio.run_coroutine_threadsafe(handing_out, taking.loop).result(10)
        pages = web.server(store, http_port)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield Inbox(store, port, pop_port, http_port)
        pages.shutdown()
        taking.stop()


@pytest.fixture
def system() -> Iterator[System]:
    """A merchant's own system of this test's own."""
    made = System()
    yield made
    made.server.shutdown()
    made.server.server_close()


def account_of(tenant_id: UUID) -> str:
    """The tenant's connected account."""
    from tenants.scope import inside

    with inside(tenant_id) as scope:
        account = scope.tenant.stripe_account
    assert account is not None
    return account
