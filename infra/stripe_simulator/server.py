"""HTTP on the loopback: one small threaded server around the API, the control doors and the pages."""

import contextlib
import socket
import struct
import tempfile
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import orjson

from infra.stripe_simulator import clock, control, errors, pages
from infra.stripe_simulator.api import Answer, Api, Call
from infra.stripe_simulator.events import Deliverer
from infra.stripe_simulator.scope import PLATFORM
from infra.stripe_simulator.store import Store
from infra.stripe_simulator.switches import Switches

HOST = "127.0.0.1"
TICK_SECONDS = 1.0
LARGEST_BODY = 1 << 20
REASONS = {200: "OK", 303: "See Other", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
           403: "Forbidden", 404: "Not Found", 409: "Conflict", 413: "Content Too Large", 429: "Too Many Requests",
           500: "Internal Server Error"}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets the right part answer, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the journal is the log."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._write(Answer(413, orjson.dumps({"error": {"message": "The body is too large."}})))
            return
        body = self.rfile.read(int(length))
        target = urlsplit(self.path)
        text = body.decode("utf-8", "replace") if method == "POST" else target.query
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(method, target.path, text, headers, self.server.base_url)
        self._write(self.server.answer(call))

    def _write(self, answer: Answer) -> None:
        if answer.drop is not None:
            self._drop(answer)
            return
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(answer.body)),
            "Cache-Control": "no-cache, no-store",
            **answer.headers,
        }
        head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(head.encode("latin-1", "replace") + b"\r\n" + answer.body)

    def _drop(self, answer: Answer) -> None:
        """Ends the connection without a word: after a long silence, or with a reset."""
        self.server.stopping.wait(answer.hang_seconds)
        self.close_connection = True
        if answer.drop and answer.drop.startswith("connection_reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    """The listening socket and everything behind it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, state: str | Path) -> None:
        super().__init__((HOST, port), Handler)
        self.base_url = f"http://{HOST}:{self.server_address[1]}"
        self.connections: set[socket.socket] = set()
        self.stopping = threading.Event()
        self.store = Store(state)
        with self.store.transaction():
            self.store.add_account(PLATFORM)
        self.switches = Switches(self.store)
        self.deliverer = Deliverer(self.store, self.switches)
        self.api = Api(self.store, self.switches, self.deliverer.wake.set)
        self.ticker = threading.Thread(target=self._tick, name="clock", daemon=True)
        self.ticker.start()

    def answer(self, call: Call) -> Answer:
        """Sends the call to the API, the control doors or the pages. A fault of the simulator itself is a 500."""
        try:
            return self._dispatch(call)
        except Exception:
            traceback.print_exc()
            body = errors.server_error("The simulator itself is at fault; its log says more.").body()
            return Answer(500, orjson.dumps(body), {"Stripe-Should-Retry": "false"})

    def _dispatch(self, call: Call) -> Answer:
        if call.path.startswith("/v1/"):
            return self.api.answer(call)
        if call.path == "/" or call.path.startswith(("/_simulator/authenticate/", "/_simulator/checkout/")):
            return pages.answer(self.api, call)
        if call.path.startswith("/_simulator/"):
            return control.answer(self.api, call)
        return Answer(404, orjson.dumps(errors.unknown_url(call.method, call.path).body()))

    def _tick(self) -> None:
        while not self.stopping.wait(TICK_SECONDS):
            clock.tick(self.store, self.base_url)

    def stop(self) -> None:
        """Closes the door, lets running calls end and closes the store."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.deliverer.close()
        self.ticker.join()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.store.close()


class Handle:
    """A running simulator. `url` is its address; `close()` ends it; it can stand in a `with`."""

    def __init__(self, server: Server, folder: tempfile.TemporaryDirectory[str] | None) -> None:
        self.server = server
        self.url = server.base_url
        self._folder = folder
        self._thread = threading.Thread(
            target=server.serve_forever, args=(0.05,), name="simulator", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops the simulator; a state file that was made for it alone goes with it."""
        self.server.stop()
        self._thread.join()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> "Handle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(
    port: int = 0,
    state: str | Path | None = None,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
) -> Handle:
    """Starts a simulator on a thread of this process. Port 0 picks a free one; without `state` nothing is kept."""
    folder = tempfile.TemporaryDirectory(prefix="stripe_simulator") if state is None else None
    server = Server(port, Path(folder.name) / "state.sqlite" if folder else state or "")
    if webhook_url is not None:
        with server.store.transaction():
            server.store.set_webhook(webhook_url, webhook_secret)
    return Handle(server, folder)
