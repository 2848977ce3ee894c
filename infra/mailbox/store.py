"""What the inbox holds: messages, texts, which recipients it refuses, and what waits to be handed out."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Mail
from pathlib import Path

NEWEST = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
    text TEXT NOT NULL, html TEXT NOT NULL, sent_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_recipient ON message (recipient, id);
CREATE TABLE IF NOT EXISTS raw (id INTEGER PRIMARY KEY, content BLOB NOT NULL, mailbox TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS raw_mailbox ON raw (mailbox, id);
CREATE TABLE IF NOT EXISTS text (
    id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE, sent_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS refusal (pattern TEXT PRIMARY KEY, code INTEGER NOT NULL, delay REAL NOT NULL);
"""


@dataclass(frozen=True)
class Message:
    """One mail to one recipient. `sent_at` is RFC 3339, UTC."""

    id: int
    to: str
    sender: str
    subject: str
    text: str
    html: str
    sent_at: str

    def public(self) -> dict[str, object]:
        """As the JSON answer shows it."""
        return asdict(self)


@dataclass(frozen=True)
class TextMessage:
    """One text to one telephone. `sent_at` is RFC 3339, UTC."""

    id: int
    to: str
    sender: str
    text: str
    reference: str
    sent_at: str

    def public(self) -> dict[str, object]:
        """As the JSON answer shows it."""
        return asdict(self)


@dataclass(frozen=True)
class Refusal:
    """How a recipient is treated: `delay` seconds of waiting, then the SMTP code (0: accepted all the same)."""

    code: int
    delay: float


class Store:
    """Messages in one SQLite file, used by the SMTP and the HTTP side at once."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(SCHEMA)

    def add(self, content: bytes, sender: str, recipients: list[str]) -> None:
        """Keep one mail for each of its recipients."""
        mail = message_from_bytes(content)  # by the old policy: the new one costs five times as much
        shown = (sender, _subject(mail), _body(mail, "plain"), _body(mail, "html"))
        now = _now()
        with self._lock:
            self._connection.execute("BEGIN")
            for recipient in recipients:
                kept = self._connection.execute(
                    "INSERT INTO message (recipient, sender, subject, text, html, sent_at) VALUES (?, ?, ?, ?, ?, ?)",
                    (recipient.lower(), *shown, now),
                )
                self._connection.execute(
                    "INSERT INTO raw VALUES (?, ?, ?)", (kept.lastrowid, content, _mailbox(recipient))
                )
            self._connection.execute("COMMIT")

    def add_text(self, to: str, sender: str, text: str, reference: str) -> int:
        """Keep one text message, once for one reference; returns its number."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO text (recipient, sender, text, reference, sent_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (reference) DO NOTHING",
                (to, sender, text, reference, _now()),
            )
            row = self._connection.execute("SELECT id FROM text WHERE reference = ?", (reference,)).fetchone()
        return int(row[0])

    def texts(self, limit: int = NEWEST) -> list[TextMessage]:
        """The newest text messages, newest last."""
        question = "SELECT * FROM (SELECT * FROM text ORDER BY id DESC LIMIT ?) ORDER BY id"
        with self._lock:
            return [TextMessage(*row) for row in self._connection.execute(question, (limit,))]

    def mailbox(self, user: str) -> list[tuple[int, bytes]]:
        """What lies in a user's mailbox: number and content, the oldest first."""
        with self._lock:
            return list(
                self._connection.execute("SELECT id, content FROM raw WHERE mailbox = ? ORDER BY id", (user,))
            )

    def content(self, number: int) -> bytes | None:
        """A message as it came; None once it was taken out of its mailbox."""
        with self._lock:
            row = self._connection.execute("SELECT content FROM raw WHERE id = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None

    def forget(self, numbers: list[int]) -> None:
        """Take messages out of their mailbox; the pages still show them."""
        with self._lock:
            self._connection.executemany("DELETE FROM raw WHERE id = ?", [(number,) for number in numbers])

    def messages(self, to: str = "", limit: int = NEWEST) -> list[Message]:
        """The newest messages, to one address if given; newest last."""
        condition, values = ("WHERE recipient = ?", [to.lower()]) if to else ("", [])
        question = f"SELECT * FROM (SELECT * FROM message {condition} ORDER BY id DESC LIMIT ?) ORDER BY id"
        with self._lock:
            return [Message(*row) for row in self._connection.execute(question, [*values, limit])]

    def message(self, number: int) -> Message | None:
        """One message, None when there is no such."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM message WHERE id = ?", (number,)).fetchone()
        return Message(*row) if row else None

    def refuse(self, pattern: str, code: int, delay: float = 0.0) -> None:
        """From now on treat this address, domain or `*` so. Code 0 and no delay: as usual again."""
        with self._lock:
            self._connection.execute("DELETE FROM refusal WHERE pattern = ?", (pattern.lower(),))
            if code or delay:
                self._connection.execute(
                    "INSERT INTO refusal VALUES (?, ?, ?)", (pattern.lower(), code, delay)
                )

    def refusal(self, address: str) -> Refusal | None:
        """How this address is treated; the address itself counts before its domain, then `*`."""
        patterns = (address.lower(), address.lower().rpartition("@")[2], "*")
        with self._lock:
            for pattern in patterns:
                question = "SELECT code, delay FROM refusal WHERE pattern = ?"
                row = self._connection.execute(question, (pattern,)).fetchone()
                if row:
                    return Refusal(*row)
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _mailbox(recipient: str) -> str:
    """The user whose mailbox an address leads to: what stands before a plus sign or the @."""
    return recipient.lower().rpartition("@")[0].partition("+")[0]


def _subject(mail: Mail) -> str:
    written = str(mail["Subject"] or "")
    try:
        return str(make_header(decode_header(written)))
    except (LookupError, ValueError, HeaderParseError):  # coded in a way nobody knows
        return written


def _body(mail: Mail, kind: str) -> str:
    """The first text of that kind; empty when there is none."""
    part = next((one for one in mail.walk() if one.get_content_type() == f"text/{kind}"), None)
    if part is None:
        return ""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    try:
        return content.decode(part.get_content_charset("us-ascii"))
    except (LookupError, UnicodeDecodeError):  # a character set nobody knows
        return content.decode("utf-8", "replace")
