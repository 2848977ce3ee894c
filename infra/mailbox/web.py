"""The side that shows mail: a page, JSON for tools, and a switch for fault tests."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from infra.embedded.ports import LOOPBACK
from infra.mailbox import page
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
        elif url.path.startswith("/message/"):
            self._mail(url.path.removeprefix("/message/"))
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"Not here.\n", "text/plain")

    def do_POST(self) -> None:
        """`/_mailbox/refuse {"address" or "domain", "code": 550, "delay": seconds}`; code 0 accepts again."""
        if not self._is_for_us():
            return
        body = self._body()
        if urlsplit(self.path).path != "/_mailbox/refuse":
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

    def _body(self) -> tuple[str, int, float] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            self.close_connection = True
            return None
        raw = self.rfile.read(int(length))
        # Only a script can send JSON, and only to its own origin: a stranger's form cannot.
        if self.headers.get_content_type() != "application/json":
            return None
        try:
            given = json.loads(raw)
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
