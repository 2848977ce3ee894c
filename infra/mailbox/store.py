"""What the inbox holds: messages, and which recipients it refuses."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

NEWEST = 500
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
    text TEXT NOT NULL, html TEXT NOT NULL, sent_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS message_recipient ON message (recipient, id);
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
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        shown = (sender, str(mail["Subject"] or ""), _body(mail, "plain"), _body(mail, "html"))
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows = [(recipient.lower(), *shown, now) for recipient in recipients]
        with self._lock:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT INTO message (recipient, sender, subject, text, html, sent_at) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._connection.execute("COMMIT")

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


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeDecodeError):  # a character set nobody knows
        return bytes(part.get_payload(decode=True)).decode("utf-8", "replace")
