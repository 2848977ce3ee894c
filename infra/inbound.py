"""Mail that comes in: read from a mailbox by POP3, and understood as far as headers and shape tell what it is.

INBOUND_URL: pop3s://user:password@host[:port], or pop3:// within one machine. A message is deleted there once it has
been dealt with here; what is not ours stays, for a person.
"""

from __future__ import annotations

import codecs
import hashlib
import poplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20.0
LARGEST = 2_000_000
MOST_TEXT = 10_000
DAEMON = re.compile(r"^(mailer-daemon|postmaster|mail-daemon|bounce[^@]*)@", re.IGNORECASE)
AUTOMATIC = re.compile(
    r"^\s*(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office|respuesta autom[aá]tica|fuera de la"
    r" oficina)\b",
    re.IGNORECASE,
)
SOFT = re.compile(
    r"\b4\.\d{1,3}\.\d{1,3}\b|still being retried|delivery (is )?delayed|warning message", re.IGNORECASE
)
QUOTE = re.compile(
    r"^\s*(>|On\b.{0,200}\bwrote:\s*$|El\b.{0,200}\bescribi[oó]:\s*$|-{2,}\s*(Original Message|Mensaje original)"
    r"|_{10,}\s*$|(From|De):\s.+@|-- ?$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as understood. `kind`: `bounce`, `delay` (still tried over there), `delivered`, `automatic`, `reply`.

    `key` is the same whenever it is read; `about` are the places that may name the message it is about, the likeliest
    first; `text` is what the sender wrote above what they quote; times are UTC.
    """

    key: str
    kind: str
    sender: str
    subject: str
    text: str
    about: tuple[str, ...]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the mailbox: its number in this session, and its name there."""

    number: int
    name: str


class Unreachable(Exception):
    """The mailbox cannot be read now."""


class Mailbox:
    """One session with a mailbox."""

    def __init__(self, server: poplib.POP3) -> None:
        self._server = server

    def waiting(self) -> list[Waiting]:
        """What is there, the oldest first."""
        _, lines, _ = self._server.uidl()
        pairs = (line.decode("utf-8", "replace").split(" ", 1) for line in lines)
        return [Waiting(int(number), name) for number, name in pairs]

    def read(self, one: Waiting) -> bytes:
        """The message; of one that is too large, what stands at its beginning."""
        listed: Any = self._server.list(one.number)
        size = int(listed.split()[2])
        got = self._server.retr(one.number) if size <= LARGEST else self._server.top(one.number, 2_000)
        return b"\r\n".join(got[1])[:LARGEST]

    def delete(self, one: Waiting) -> None:
        """Have it gone when the session ends."""
        self._server.dele(one.number)


@contextmanager
def mailbox(url: str) -> Iterator[Mailbox]:
    """A session with the mailbox; what was deleted is gone when it ends well. Raises Unreachable."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "localhost", parts.scheme == "pop3s"
    try:
        server: poplib.POP3 = (
            poplib.POP3_SSL(
                host, parts.port or 995, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
            if secure
            else poplib.POP3(host, parts.port or 110, timeout=TIMEOUT_SECONDS)
        )
        try:
            server.user(unquote(parts.username or ""))
            server.pass_(unquote(parts.password or ""))
            yield Mailbox(server)
            server.quit()
        finally:
            server.close()
    except (poplib.error_proto, OSError, EOFError) as lost:
        raise Unreachable(f"{type(lost).__name__}: {lost}") from lost


def understood(content: bytes) -> Incoming:
    """A message, whatever it is made of: nothing in it can raise."""
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    sender = parseaddr(_header(mail, "From"))[1].lower()
    report = _report(mail)
    return Incoming(
        key=_key(mail, content),
        kind=_kind(mail, sender, report),
        sender=sender,
        subject=_header(mail, "Subject")[:300],
        text=_own_words(_text(mail))[:MOST_TEXT],
        about=_about(mail),
        received_at=_received(mail),
    )


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(mail.get(name, "")).split())
    except Exception:  # a header that the parser of the standard library stumbles over
        return ""


def _key(mail: EmailMessage, content: bytes) -> str:
    return _header(mail, "Message-ID")[:300] or hashlib.sha256(content).hexdigest()


def _received(mail: EmailMessage) -> datetime:
    """When the first server of ours took it: the newest Received line; else now."""
    stamp = _header(mail, "Received").rpartition(";")[2].strip()
    now = datetime.now(UTC)
    try:
        return min(parsedate_to_datetime(stamp).astimezone(UTC), now)
    except (ValueError, TypeError, IndexError):
        return now


# ---- what it is


def _kind(mail: EmailMessage, sender: str, report: str) -> str:
    if report:
        return report
    if DAEMON.match(sender) or _header(mail, "X-Failed-Recipients"):
        return "delay" if SOFT.search(_text(mail)[:4_000]) else "bounce"
    submitted = _header(mail, "Auto-Submitted").lower()
    if (submitted and not submitted.startswith("no")) or _header(mail, "X-Autoreply"):
        return "automatic"
    if _header(mail, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply"):
        return "automatic"
    if _header(mail, "Return-Path") == "<>" or AUTOMATIC.match(_header(mail, "Subject")):
        return "automatic"
    return "reply"


ACTIONS = {
    "failed": "bounce",
    "delayed": "delay",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}


def _report(mail: EmailMessage) -> str:
    """What a delivery status notification (RFC 3464) reports; empty for other mail."""
    if mail.get_content_type() != "multipart/report":
        return ""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            found = re.search(r"^action:\s*([a-z-]+)", _raw(part), re.IGNORECASE | re.MULTILINE)
            if found:
                return ACTIONS.get(found[1].lower(), "automatic")
    return "automatic"  # a disposition notification, or a report of another kind


def reason(content: bytes) -> str:
    """Why a message bounced, in the words of the other server, on one line."""
    mail = message_from_bytes(content, policy=policy.default)
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            raw = re.sub(r"\n[ \t]+", " ", _raw(part).replace("\r\n", "\n"))
            for name in ("diagnostic-code", "status"):
                found = re.search(rf"^{name}:\s*(.+)$", raw, re.IGNORECASE | re.MULTILINE)
                if found:
                    return " ".join(found[1].split(";", 1)[-1].split())[:300]
    assert isinstance(mail, EmailMessage)
    line = re.search(r"^.*\b[45]\d\d[ -].*$", _text(mail), re.MULTILINE)
    return " ".join(line[0].split())[:300] if line else "it came back"


def _raw(part: Any) -> str:
    """A part with its inner parts, as text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n".join(str(inner) for inner in payload)
    return str(payload)


def _about(mail: EmailMessage) -> tuple[str, ...]:
    """Where the message that it is about may be named: the address it came to, what it answers, what it quotes."""
    names = ("Delivered-To", "X-Original-To", "To", "Cc")
    to = [address for name in names for _, address in getaddresses([_header(mail, name)])]
    thread = [_header(mail, "In-Reply-To"), _header(mail, "References")]
    inner = [
        _header(part, "Message-ID") or _raw(part)[:4_000]
        for part in _parts(mail)
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers")
    ]
    inner += [
        _header(nested, "Message-ID")
        for part in _parts(mail)
        if part.get_content_type() == "message/rfc822"
        for nested in part.iter_parts()
        if isinstance(nested, EmailMessage)
    ]
    quoted = [_text(mail)[-6_000:]]
    return tuple(place for place in (*to, *thread, *inner, *quoted) if place)


def _parts(mail: EmailMessage) -> list[EmailMessage]:
    return [part for part in mail.walk() if part is not mail and isinstance(part, EmailMessage)]


# ---- what its sender wrote


def _text(mail: EmailMessage) -> str:
    """Its words as plain text."""
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    text = payload.decode(_charset(part), "replace") if isinstance(payload, bytes) else ""
    return _without_tags(text) if part.get_content_type() == "text/html" else text


def _charset(part: Message) -> str:
    """The character set it names; UTF-8 for one that nobody knows, and where plain ASCII is claimed or nothing."""
    named = part.get_content_charset("us-ascii")
    try:
        return "utf-8" if codecs.lookup(named).name == "ascii" else named
    except (LookupError, ValueError):
        return "utf-8"


def _without_tags(html: str) -> str:
    text = re.sub(r"(?is)<(style|script|head|blockquote)\b.*?</\1>", " ", html)
    text = re.sub(r"(?i)<(br|/p|/div|/tr|/li)\b[^>]*>", "\n", text)
    return unescape(re.sub(r"<[^>]*>", " ", text))


def _own_words(text: str) -> str:
    """What stands above the quoted message and the signature."""
    own: list[str] = []
    lines = text.replace("\r\n", "\n").split("\n")
    for at, line in enumerate(lines):
        if QUOTE.match(line) or QUOTE.match(" ".join(lines[at : at + 2])):
            break
        own.append(line.rstrip())
    return "\n".join(own).strip()
