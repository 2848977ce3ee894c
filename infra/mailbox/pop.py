"""The side that hands mail out: enough of POP3 (RFC 1939) for any reader, one mailbox per user name.

The mailbox of `mail` holds what came for mail@... and mail+anything@...; the password is the stand-in's own.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from infra.mailbox.store import Store

LONGEST_LINE = 1024
IDLE_SECONDS = 60.0


class Session:
    """One client: its user once known, and what it wants deleted when it says goodbye."""

    def __init__(self, store: Store, password: str) -> None:
        self._store, self._password = store, password
        self._user = ""
        self._entered = False
        self._held: list[tuple[int, bytes]] = []
        self._gone: set[int] = set()

    def answer(self, line: str) -> tuple[bytes, bool]:
        """What to say to one command, and whether that was the last one."""
        word, _, given = line.strip().partition(" ")
        verb = word.upper()
        if verb == "QUIT":
            self._store.forget([self._held[at][0] for at in self._gone])
            return b"+OK\r\n", True
        if verb == "CAPA":
            return b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n", False
        if not self._entered:
            return self._enter(verb, given), False
        act = {
            "STAT": self._stat,
            "LIST": self._list,
            "UIDL": self._uidl,
            "RETR": self._retr,
            "TOP": self._top,
        }
        act |= {"DELE": self._dele, "RSET": self._rset, "NOOP": lambda _: b"+OK\r\n"}
        return (act[verb](given) if verb in act else b"-ERR unknown\r\n"), False

    def _enter(self, verb: str, given: str) -> bytes:
        if verb == "USER":
            self._user = given.strip().lower()
            return b"+OK\r\n"
        if verb == "PASS" and self._user and hmac.compare_digest(given.encode(), self._password.encode()):
            self._held = self._store.mailbox(self._user)
            self._entered = True
            return b"+OK\r\n"
        return b"-ERR log in first\r\n"

    def _there(self) -> list[int]:
        return [at for at in range(len(self._held)) if at not in self._gone]

    def _at(self, given: str) -> int | None:
        first = given.split(" ")[0]
        at = int(first) - 1 if first.isdigit() and len(first) < 9 else -1
        return at if 0 <= at < len(self._held) and at not in self._gone else None

    def _stat(self, _: str) -> bytes:
        there = self._there()
        return f"+OK {len(there)} {sum(len(self._held[at][1]) for at in there)}\r\n".encode()

    def _list(self, given: str) -> bytes:
        return self._lines(given, lambda at: str(len(self._held[at][1])))

    def _uidl(self, given: str) -> bytes:
        return self._lines(given, lambda at: str(self._held[at][0]))

    def _lines(self, given: str, value: Callable[[int], str]) -> bytes:
        if given:
            at = self._at(given)
            return b"-ERR none\r\n" if at is None else f"+OK {at + 1} {value(at)}\r\n".encode()
        lines = "".join(f"{at + 1} {value(at)}\r\n" for at in self._there())
        return f"+OK\r\n{lines}.\r\n".encode()

    def _retr(self, given: str) -> bytes:
        at = self._at(given)
        return b"-ERR none\r\n" if at is None else b"+OK\r\n" + _stuffed(self._held[at][1])

    def _top(self, given: str) -> bytes:
        at = self._at(given)
        if at is None:
            return b"-ERR none\r\n"
        head, _, body = self._held[at][1].replace(b"\r\n", b"\n").partition(b"\n\n")
        count = int(given.split(" ")[1]) if given.split(" ")[1:] and given.split(" ")[1].isdigit() else 0
        return b"+OK\r\n" + _stuffed(head + b"\n\n" + b"\n".join(body.split(b"\n")[:count]))

    def _dele(self, given: str) -> bytes:
        at = self._at(given)
        if at is None:
            return b"-ERR none\r\n"
        self._gone.add(at)
        return b"+OK\r\n"

    def _rset(self, _: str) -> bytes:
        self._gone.clear()
        return b"+OK\r\n"


def _stuffed(content: bytes) -> bytes:
    """A message as POP3 sends it: lines that begin with a dot get another one."""
    lines = content.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


def serving(
    store: Store, password: str
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What `asyncio.start_server` calls for each client."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session, last = Session(store, password), False
        writer.write(b"+OK Kept demo inbox\r\n")
        try:
            while not last:
                line = await asyncio.wait_for(reader.readline(), IDLE_SECONDS)
                if not line or len(line) > LONGEST_LINE:
                    break
                said, last = await asyncio.to_thread(session.answer, line.decode("utf-8", "replace"))
                writer.write(said)
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    return serve
