"""Mail out, by one function. SMTP_URL: smtp://[user:password@]host[:port], or smtps:// for TLS from the start."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate, parseaddr
from urllib.parse import unquote, urlsplit

from infra import settings

TIMEOUT_SECONDS = 20.0


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
        with _connected(given.smtp_url) as server:
            server.send_message(message, from_addr=mail.bounces_to or None, to_addrs=[mail.to])
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
