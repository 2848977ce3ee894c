"""Mail that the stand-in makes itself: reports that a mail bounced (RFC 3464), and a buyer's reply."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

DOMAIN = "kept-demo.example"


def bounces(recipient: str) -> bool:
    """Whether mail to this address is taken and then comes back: `bounce` in the part before the @."""
    return "bounce" in recipient.lower().rpartition("@")[0]


def report(content: bytes, sender: str, recipient: str) -> bytes:
    """The report to the sender that the mail could not be delivered, with the mail's headers."""
    headers = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("ascii", "replace")
    parts = (
        ("text/plain", f"Your mail to <{recipient}> could not be delivered: no such mailbox.\n"),
        (
            "message/delivery-status",
            f"Reporting-MTA: dns; {DOMAIN}\n\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.1.1\n"
            f"Diagnostic-Code: smtp; 550 5.1.1 <{recipient}> no such mailbox\n",
        ),
        ("text/rfc822-headers", f"{headers}\n"),
    )
    boundary = make_msgid(domain=DOMAIN).strip("<>").replace("@", ".")
    written = "".join(f"--{boundary}\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    return (
        f"Return-Path: <>\nFrom: Mail Delivery System <mailer-daemon@{DOMAIN}>\nTo: {sender}\n"
        f"Subject: Undelivered Mail Returned to Sender\nDate: {formatdate(usegmt=True)}\n"
        f"Message-ID: {make_msgid(domain=DOMAIN)}\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\n\n'
        f"{written}--{boundary}--\n"
    ).encode()


def reply(content: bytes, text: str) -> tuple[bytes, str, str] | None:
    """A reply to the mail, as its recipient would write it: content, sender, recipient. None when nobody is named."""
    mail = message_from_bytes(content, policy=policy.default)
    writer = parseaddr(str(mail["To"] or ""))[1]
    to = parseaddr(str(mail["Reply-To"] or mail["From"] or ""))[1]
    if not writer or not to:
        return None
    made = EmailMessage()
    made["From"], made["To"] = writer, to
    made["Subject"] = " ".join(f"Re: {mail['Subject'] or ''}".split())
    made["Date"], made["Message-ID"] = formatdate(usegmt=True), make_msgid(domain=DOMAIN)
    if mail["Message-ID"]:
        made["In-Reply-To"] = str(mail["Message-ID"])
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(preferencelist=("plain",))
    quoted = "".join(f"> {line}\n" for line in str(body.get_content() if body else "").splitlines())
    made.set_content(f"{text}\n\nOn {mail['Date'] or 'that day'}, {to} wrote:\n{quoted}")
    return made.as_bytes(), writer, to
