"""Mail out, by one function. SMTP_URL: smtp://[user:password@]host[:port], or smtps:// for TLS from the start."""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from infra import settings

TIMEOUT_SECONDS = 20.0
KEPT_SECONDS, MOST_PER_CONNECTION = 20.0, 50
"""How long an idle connection is kept for the next mail, and how many it carries: less than servers allow."""


class Refused(Exception):
    """The mail will never be taken: the recipient does not exist, or the content is not wanted."""


class Undelivered(Exception):
    """The mail was not taken now, or nobody knows; try again later."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person. `message_id` is the same at every attempt, so that a repeat can be told; bounces go
    to `bounces_to`, or to the sender without one."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    from_name: str = ""
    reply_to: str = ""
    bounces_to: str = ""


LONGEST_LOCAL_PART = 64


def address_for(mailbox: str, reference: str) -> str:
    """The address in this mailbox that carries a reference: mail+REFERENCE@example.com. Empty without a mailbox, and
    where its name is too long for an address."""
    name, _, domain = mailbox.rpartition("@")
    return (
        f"{name}+{reference}@{domain}"
        if name and len(name) + 1 + len(reference) <= LONGEST_LOCAL_PART
        else ""
    )


def send(mail: Mail) -> str:
    """Hand the mail to the configured server; returns its Message-ID. Raises Refused for good, Undelivered for now."""
    given = settings.current()
    if not given.smtp_url:
        raise Undelivered("no mail server is configured: set SMTP_URL")
    try:
        message = _message(mail, given.mail_from)
        _line.server(given.smtp_url).send_message(
            message, from_addr=mail.bounces_to or None, to_addrs=[mail.to]
        )
        return str(message["Message-ID"])
    except smtplib.SMTPRecipientsRefused as refused:
        code, words = next(iter(refused.recipients.values()))
        raise _refusal(code, words) from refused
    except smtplib.SMTPResponseException as refused:
        raise _refusal(refused.smtp_code, refused.smtp_error) from refused
    except ValueError as unfit:
        raise Refused(f"the mail cannot be written: {unfit}") from unfit
    except (smtplib.SMTPException, OSError) as lost:
        raise Undelivered(f"{type(lost).__name__}: {lost}") from lost


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    name, address = parseaddr(sender)
    message["From"] = formataddr((mail.from_name or name, address))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.message_id}@{address.rpartition('@')[2]}>"
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


@dataclass
class Line(threading.local):
    """A thread's own connection to the mail server, kept open from one mail to the next: greeting, encryption and
    log-in are most of what a mail costs."""

    url: str = ""
    open: smtplib.SMTP | None = field(default=None, repr=False)
    carried: int = 0
    used_at: float = 0.0

    def server(self, url: str) -> smtplib.SMTP:
        """The server at this address, over the kept connection if it is still good. Raises as smtplib does."""
        now = time.monotonic()
        if self.open is None or url != self.url or not self._is_good(now):
            self._hang_up()
            self.open, self.url, self.carried = _connected(url), url, 0
        self.carried, self.used_at = self.carried + 1, now
        return self.open

    def _is_good(self, now: float) -> bool:
        """Asked before a mail is begun: one that breaks afterwards may have been taken."""
        if self.open is None or self.carried >= MOST_PER_CONNECTION or now - self.used_at > KEPT_SECONDS:
            return False
        try:
            return self.open.rset()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _hang_up(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None


_line = Line()


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    secure = parts.scheme == "smtps"
    if secure:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    if parts.username:
        if not secure:
            server.starttls(context=ssl.create_default_context())
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _refusal(code: int, words: bytes | str) -> Exception:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    kind = Refused if 500 <= code < 600 else Undelivered
    return kind(f"{code} {said}"[:300])
