"""What mail that comes in is: reports of many servers, answers of machines, and people's own words."""

from __future__ import annotations

import pytest

from infra.inbound import reason, understood

TOKEN = "agrcgwwxf5yabpiaxddxz2hqsqa2ei2224xxaamgmvpbtn63jbkaccpiwe"


def report(action: str, status: str, diagnostic: str = "", *, kind: str = "text/rfc822-headers") -> bytes:
    """A report as RFC 3464 has it, with the headers of the mail it is about, or the mail itself."""
    code = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\nTo: mail@kept.example\n"
        "Subject: Undelivered Mail Returned to Sender\nMessage-ID: <r1@mx.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain; charset=us-ascii\n\nI'm sorry to inform you.\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; maya@example.com\nAction: {action}\nStatus: {status}\n{code}\n"
        f"--b\nContent-Type: {kind}\n\nFrom: Kept <no-reply@kept.example>\n"
        f"Message-ID: <{TOKEN}@kept.example>\nSubject: Your choice\n\n--b--\n"
    ).encode()


def mail(text: str = "Fine.", **headers: str) -> bytes:
    given = {"From": "Maya <maya@example.com>", "To": "mail@kept.example", "Subject": "Re: Your choice"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return ("".join(f"{name}: {value}\n" for name, value in given.items()) + f"\n{text}\n").encode()


QMAIL = mail(
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message.\n"
    "<maya@example.com>:\n550 5.1.1 User unknown\n\n--- Below this line is a copy of the message.\n\n"
    f"Message-ID: <{TOKEN}@kept.example>\n",
    From="MAILER-DAEMON@mx.example",
    Return_Path="<>",
)
EXIM = mail("A message that you sent could not be delivered.", From="Mail Delivery System <x@mx.example>",
            X_Failed_Recipients="maya@example.com")  # fmt: skip
EXIM_WARNING = mail("Warning message: delivery is delayed.", From="Mailer-Daemon@mx.example")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (report("failed", "5.1.1", "550 5.1.1 User unknown"), "bounce"),
        (report("Failed", "5.2.2", kind="message/rfc822"), "bounce"),
        (report("delayed", "4.4.1"), "delay"),
        (report("delivered", "2.0.0"), "delivered"),
        (report("relayed", "2.0.0"), "delivered"),
        (QMAIL, "bounce"),
        (EXIM, "bounce"),
        (EXIM_WARNING, "delay"),
        (mail(Auto_Submitted="auto-replied"), "automatic"),
        (mail(Auto_Submitted="no"), "reply"),
        (mail(Precedence="bulk"), "automatic"),
        (mail(Return_Path="<>"), "automatic"),
        (mail(Subject="Automatic reply: Your choice"), "automatic"),
        (mail(Subject="Out of office: back on Monday"), "automatic"),
        (mail(Subject="Respuesta automática: Usted decide"), "automatic"),
        (mail(), "reply"),
        (b"", "reply"),
        (b"\xff\xfe\x00garbage without any header", "reply"),
        (mail(Content_Type='text/plain; charset="no-such"'), "reply"),
    ],
)
def test_what_a_mail_is(content: bytes, kind: str) -> None:
    assert understood(content).kind == kind


@pytest.mark.parametrize(
    "content",
    [
        report("failed", "5.1.1"),
        report("failed", "5.1.1", kind="message/rfc822"),
        QMAIL,
        mail(In_Reply_To=f"<{TOKEN}@kept.example>"),
        mail(References=f"<a@b> <{TOKEN}@kept.example>"),
        mail(To=f"mail+{TOKEN}@kept.example"),
        mail(Delivered_To=f"mail+{TOKEN.upper()}@kept.example"),
    ],
)
def test_where_the_message_it_is_about_is_named(content: bytes) -> None:
    assert any(TOKEN in place.lower() for place in understood(content).about)


def test_why_it_bounced_in_the_other_servers_words() -> None:
    assert reason(report("failed", "5.1.1", "550 5.1.1\n <maya@example.com> User unknown")) == (
        "550 5.1.1 <maya@example.com> User unknown"
    )
    assert reason(report("failed", "5.2.2")) == "5.2.2"
    assert reason(QMAIL) == "550 5.1.1 User unknown"
    assert reason(EXIM) == "it came back"


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, Nov 30, 2026 at 9:00 AM Alder <mail@kept.example> wrote:\n> Cancel this item",
        "On Mon, Nov 30, 2026 at 9:00 AM\nAlder <mail@kept.example> wrote:\n> Cancel this item",
        "El lun, 30 nov 2026 a las 9:00, Alder escribió:\n> Cancelar",
        "> Cancel this item",
        "-----Original Message-----\nFrom: Alder\nCancel this item",
        "________________________________\nFrom: Alder <mail@kept.example>\nCancel this item",
        "From: Alder <mail@kept.example>\nCancel this item",
        "-- \nMaya Ortiz\nCancel culture podcast",
    ],
)
def test_only_their_own_words_count(quoted: str) -> None:
    assert understood(mail(f"I will wait.\n\n{quoted}")).text == "I will wait."


def test_a_reply_in_html_is_read_as_text() -> None:
    html = "<style>p{}</style><p>I&nbsp;will wait.</p><blockquote>Cancel</blockquote>"
    assert understood(mail(html, Content_Type="text/html")).text.split() == ["I", "will", "wait."]


def test_a_mail_has_the_same_key_whenever_it_is_read() -> None:
    assert understood(mail(Message_ID="<a@b>")).key == "<a@b>"
    assert understood(mail()).key == understood(mail()).key != understood(mail("Other.")).key
