"""The side that shows mail and texts: pages, JSON for tools, the gateway that texts are handed to, a form to reply as
the buyer, and a switch for fault tests."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.embedded.ports import LOOPBACK
from infra.mailbox import page, returns
from infra.mailbox.store import Store

OUR_NAMES = {LOOPBACK, "localhost"}
LARGEST = 64 * 1024
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'"
MAIL_POLICY = f"sandbox {page.SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def server(store: Store, port: int) -> ThreadingHTTPServer:
    """The HTTP server, not yet serving."""

    class Handler(_Handler):
        inbox = store

    made = ThreadingHTTPServer((LOOPBACK, port), Handler)
    made.daemon_threads = True
    return made


class _Handler(BaseHTTPRequestHandler):
    inbox: Store
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        if not self._is_for_us():
            return
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/":
            self._list(query.get("to", "").strip(), query.get("message", ""))
        elif url.path == "/healthz":
            self._answer(HTTPStatus.OK, b"ok\n", "text/plain")
        elif url.path == "/texts":
            self._texts()
        elif url.path.startswith("/message/"):
            self._mail(url.path.removeprefix("/message/"))
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"Not here.\n", "text/plain")

    def do_POST(self) -> None:
        """`/_mailbox/refuse {"address" or "domain", "code": 550, "delay": seconds}`; code 0 accepts again.
        `/sms` takes a text as the gateway does; `/reply/NUMBER` is the form under a message."""
        if not self._is_for_us():
            return
        path = urlsplit(self.path).path
        if path == "/sms":
            self._take_text()
            return
        if path.startswith("/reply/"):
            self._reply(path.removeprefix("/reply/"))
            return
        body = self._switch() if path == "/_mailbox/refuse" else None
        if path != "/_mailbox/refuse":
            self._answer(HTTPStatus.NOT_FOUND, b"Not here.\n", "text/plain")
        elif body is None:
            self._answer(HTTPStatus.BAD_REQUEST, b"An address or domain, a code, a delay.\n", "text/plain")
        else:
            self.inbox.refuse(*body)
            self._answer(HTTPStatus.OK, b"{}", "application/json")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is for faults."""

    def _list(self, to: str, chosen: str) -> None:
        messages = self.inbox.messages(to)
        if "application/json" in self.headers.get("Accept", ""):
            answer = json.dumps([message.public() for message in messages]).encode()
            self._answer(HTTPStatus.OK, answer, "application/json")
            return
        found = self.inbox.message(int(chosen)) if chosen.isdigit() and len(chosen) < 16 else None
        shown = found or (messages[-1] if messages else None)
        html = page.render(messages, shown, to).encode()
        self._answer(HTTPStatus.OK, html, "text/html", PAGE_POLICY)

    def _mail(self, number: str) -> None:
        message = self.inbox.message(int(number)) if number.isdigit() and len(number) < 16 else None
        if message is None:
            self._answer(HTTPStatus.NOT_FOUND, b"No such message.\n", "text/plain")
        else:
            self._answer(HTTPStatus.OK, page.frame(message).encode(), "text/html", MAIL_POLICY)

    def _is_for_us(self) -> bool:
        """A name that a stranger's page pointed at loopback must not read the mail."""
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if name in OUR_NAMES:
            return True
        self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"Not here.\n", "text/plain")
        return False

    def _texts(self) -> None:
        texts = self.inbox.texts()
        if "application/json" in self.headers.get("Accept", ""):
            self._answer(
                HTTPStatus.OK, json.dumps([text.public() for text in texts]).encode(), "application/json"
            )
            return
        self._answer(HTTPStatus.OK, page.texts(texts).encode(), "text/html", PAGE_POLICY)

    def _take_text(self) -> None:
        """A number that ends in 0400 is refused for good, one in 0500 for now."""
        given = self._json()
        if given is None or not all(isinstance(given.get(key), str) for key in ("to", "text", "reference")):
            self._answer(HTTPStatus.BAD_REQUEST, b"to, text and reference.\n", "text/plain")
        elif given["to"].endswith("0400"):
            self._answer(HTTPStatus.BAD_REQUEST, b"No such number.\n", "text/plain")
        elif given["to"].endswith("0500"):
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"Later.\n", "text/plain")
        else:
            number = self.inbox.add_text(
                given["to"], str(given.get("from") or ""), given["text"], given["reference"]
            )
            self._answer(HTTPStatus.CREATED, json.dumps({"id": str(number)}).encode(), "application/json")

    def _reply(self, number: str) -> None:
        """Put the buyer's words into the mailbox of whoever wrote to them."""
        raw = self._read()
        said = parse_qs((raw or b"").decode("utf-8", "replace")).get("text", [""])[0].strip()
        content = self.inbox.content(int(number)) if number.isdigit() and len(number) < 16 else None
        made = returns.reply(content, said) if content is not None and said else None
        if made is None or self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            self._answer(HTTPStatus.BAD_REQUEST, b"Nothing to send.\n", "text/plain")
            return
        reply, writer, to = made
        self.inbox.add(reply, writer, [to])
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", f"/?message={number}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _read(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _json(self) -> dict[str, Any] | None:
        """The object that was sent; a stranger's form cannot: only a script sends JSON, and only to its own origin."""
        raw = self._read()
        if raw is None or self.headers.get_content_type() != "application/json":
            return None
        try:
            given = json.loads(raw)
        except ValueError:
            return None
        return given if isinstance(given, dict) else None

    def _switch(self) -> tuple[str, int, float] | None:
        given = self._json() or {}
        try:
            return (
                str(given.get("address") or given["domain"]),
                int(given["code"]),
                float(given.get("delay", 0)),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
