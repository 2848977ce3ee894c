"""Load: N clients, each its own process with one kept-alive connection, sending prepared bodies."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from workers.cli.bench.figures import percentile

Request = tuple[str, str, Any]
"""(method, path, body or None)"""
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Load:
    """What came of a run."""

    rate: float
    """Answers per second, all clients together."""
    p50: float
    p99: float
    """Milliseconds."""
    refused: int
    answered: int


def run(
    address: tuple[str, int],
    key: str,
    clients: int,
    seconds: float,
    request: Callable[[int, int], Request | None],
) -> Load:
    """Send `request(client, number)` from every client for some seconds; None ends a client early."""
    barrier = _fork.Barrier(clients + 1)
    ends = []
    for client in range(clients):
        mine, theirs = _fork.Pipe()
        _fork.Process(
            target=_client, args=(address, key, client, seconds, request, barrier, theirs), daemon=True
        ).start()
        ends.append(mine)
    barrier.wait()
    began = time.perf_counter()
    answers = [end.recv() for end in ends]
    took = time.perf_counter() - began
    times = [value for one, _ in answers for value in one]
    return Load(
        rate=len(times) / took,
        p50=percentile(times, 0.5) * 1000,
        p99=percentile(times, 0.99) * 1000,
        refused=sum(refused for _, refused in answers),
        answered=len(times),
    )


def _client(
    address: tuple[str, int],
    key: str,
    client: int,
    seconds: float,
    request: Callable[[int, int], Request | None],
    barrier: Barrier,
    end: Connection,
) -> None:
    connection = Http(address, key)
    times, refused, number = [], 0, 0
    barrier.wait()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        wanted = request(client, number)
        if wanted is None:
            break
        number += 1
        began = time.perf_counter()
        status, _ = connection.send(*wanted)
        times.append(time.perf_counter() - began)
        refused += status >= 300
    end.send((times, refused))


class Http:
    """The least HTTP/1.1 a load needs: the client's own cost must not be what is measured."""

    def __init__(self, address: tuple[str, int], key: str) -> None:
        self.address, self.key = address, key
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """One call: (status, body)."""
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self.address[0]}\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + content)
        while b"\r\n\r\n" not in self._rest:
            self._read()
        headers, self._rest = self._rest.split(b"\r\n\r\n", 1)
        length = int(
            next(
                line.split(b":")[1]
                for line in headers.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
        )
        while len(self._rest) < length:
            self._read()
        answer, self._rest = self._rest[:length], self._rest[length:]
        return int(headers[9:12]), answer

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises RuntimeError on a refusal."""
        status, answer = self.send(method, path, body)
        if status >= 300:
            raise RuntimeError(f"{method} {path} answered {status}: {answer[:500].decode()}")
        return json.loads(answer)

    def _read(self) -> None:
        part = self._socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the connection")
        self._rest += part
