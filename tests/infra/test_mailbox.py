"""The demo's inbox: what is sent over SMTP is shown over HTTP, and refusals can be switched on."""

from __future__ import annotations

import json
import os
import poplib
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.ports import accepts, free_port
from infra.inbound import mailbox
from infra.mailbox.store import Store

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Inbox:
    smtp_port: int
    http_port: int
    pop_port: int

    def send(self, to: str, subject: str = "Hello", text: str = "Plain.", html: str = "") -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as client:
            client.send_message(mail)

    def get(self, path: str, accept: str = "text/html", host: str | None = None) -> tuple[int, str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", headers={"Accept": accept}
        )
        return self._open(request, host)

    def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", data=body, headers={"Content-Type": kind}
        )
        return self._open(request, None)

    def mails(self, to: str) -> list[dict]:
        return json.loads(self.get(f"/?to={to}", "application/json")[1])

    def _open(self, request: urllib.request.Request, host: str | None) -> tuple[int, str, Any]:
        if host:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    made = Inbox(free_port(), free_port(), free_port())
    state = tmp_path_factory.mktemp("inbox") / "mail.db"
    ports = ["--smtp-port", str(made.smtp_port), "--http-port", str(made.http_port)]
    ports += ["--pop-port", str(made.pop_port)]
    command = [sys.executable, "-m", "infra.mailbox", *ports, "--state", str(state)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "MAILBOX_PASSWORD": "secret"})
    deadline = time.monotonic() + 20
    while not all(map(accepts, (made.smtp_port, made.http_port, made.pop_port))):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield made
    process.terminate()
    assert process.wait(10) == 0


def test_a_mail_in_two_forms_is_shown_whole_newest_last(inbox: Inbox) -> None:
    inbox.send("ada@example.com", "Commande reçue ✓ — merci", "Voilà.\n", "<p>Voilà.</p>")
    inbox.send("Ada@Example.com", "Second")
    first, second = inbox.mails("ADA@example.com")
    assert (first["to"], first["subject"]) == ("ada@example.com", "Commande reçue ✓ — merci")
    assert (first["text"].strip(), first["html"].strip()) == ("Voilà.", "<p>Voilà.</p>")
    assert first["sent_at"].endswith("Z")
    assert (second["subject"], second["html"]) == ("Second", "")


def test_each_recipient_gets_a_copy(inbox: Inbox) -> None:
    inbox.send("one@example.com, two@example.com", "Both")
    assert [len(inbox.mails(f"{name}@example.com")) for name in ("one", "two", "three")] == [1, 1, 0]


def test_the_page_shows_the_mail_without_trusting_it(inbox: Inbox) -> None:
    inbox.send("eve@example.com", "<script>alert(1)</script>", "<b>", "<script>alert(2)</script>")
    status, page, headers = inbox.get("/?to=eve@example.com")
    assert status == 200
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "script-src" not in headers["Content-Security-Policy"]
    framed = page.split('src="')[1].split('"')[0]
    status, mail, headers = inbox.get(framed)
    assert "alert(2)" in mail
    assert headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-scripts" not in headers["Content-Security-Policy"]


def test_another_name_for_loopback_reads_nothing(inbox: Inbox) -> None:
    assert inbox.get("/", "application/json", host="evil.example")[0] == 421
    assert inbox.get("/", "application/json", host=f"localhost:{inbox.http_port}")[0] == 200


@pytest.mark.parametrize("path", ["/message/0", "/message/x", "/message/99999999999999999999", "/nothing"])
def test_what_is_not_there_is_not_found(inbox: Inbox, path: str) -> None:
    assert inbox.get(path)[0] == 404


@pytest.mark.parametrize(("pattern", "code"), [("address", 550), ("domain", 421)])
def test_refusals_are_switched_on_and_off(inbox: Inbox, pattern: str, code: int) -> None:
    value = {"address": "bob@closed.example", "domain": "closed.example"}[pattern]
    assert inbox.post("/_mailbox/refuse", json.dumps({pattern: value, "code": code}).encode())[0] == 200
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        inbox.send("bob@closed.example")
    assert refused.value.recipients["bob@closed.example"][0] == code
    inbox.send("carol@open.example")
    inbox.post("/_mailbox/refuse", json.dumps({pattern: value, "code": 0}).encode())
    before = len(inbox.mails("bob@closed.example"))
    inbox.send("bob@closed.example")
    assert len(inbox.mails("bob@closed.example")) == before + 1


def test_a_slow_server_can_be_had(inbox: Inbox) -> None:
    inbox.post("/_mailbox/refuse", b'{"address": "slow@example.com", "code": 0, "delay": 0.5}')
    began = time.monotonic()
    inbox.send("slow@example.com")
    assert time.monotonic() - began >= 0.5
    assert len(inbox.mails("slow@example.com")) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"address": "a"}', "application/json"),
        (b'{"address": "a", "code": 550}', "text/plain"),
    ],
)
def test_a_malformed_or_foreign_switch_changes_nothing(inbox: Inbox, body: bytes, kind: str) -> None:
    assert inbox.post("/_mailbox/refuse", body, kind)[0] == 400
    inbox.send("a@a.example")


def test_a_mailbox_is_read_by_pop3_and_emptied(inbox: Inbox) -> None:
    inbox.send("mail+abc@shop.example", "Re: your letter", ".a line that begins with a dot\nend")
    with pytest.raises(poplib.error_proto):
        poplib.POP3("127.0.0.1", inbox.pop_port, timeout=10).pass_("wrong")
    with mailbox(f"pop3://mail:secret@127.0.0.1:{inbox.pop_port}") as box:
        (one,) = box.waiting()
        content = box.read(one)
        assert b"\r\n.a line that begins with a dot\r\nend" in content
        box.delete(one)
    with mailbox(f"pop3://mail:secret@127.0.0.1:{inbox.pop_port}") as box:
        assert box.waiting() == []
    assert len(inbox.mails("mail%2Babc@shop.example")) == 1, "the page still shows it"


def test_an_address_that_bounces_is_taken_and_comes_back(inbox: Inbox) -> None:
    inbox.send("no-bounce@example.com", "Hello")
    (report,) = inbox.mails("shop@example.com")
    assert report["subject"] == "Undelivered Mail Returned to Sender"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        inbox.send("reject@example.com")


def test_texts_are_taken_once_for_one_reference(inbox: Inbox) -> None:
    body = json.dumps({"to": "+12025550136", "text": "<b>Hi</b>", "reference": "r-1"}).encode()
    assert inbox.post("/sms", body)[0] == inbox.post("/sms", body)[0] == 201
    refused = json.dumps({"to": "+12025550400", "text": "Hi", "reference": "r-2"}).encode()
    assert inbox.post("/sms", refused)[0] == 400
    assert inbox.post("/sms", b'{"to": 1}')[0] == 400
    texts = json.loads(inbox.get("/texts", "application/json")[1])
    assert [text["to"] for text in texts] == ["+12025550136"]
    assert "&lt;b&gt;Hi" in inbox.get("/texts")[1]


def test_one_replies_as_the_buyer_from_the_page(inbox: Inbox) -> None:
    inbox.send("fay@example.com", "Your choice")
    number = inbox.mails("fay@example.com")[-1]["id"]
    inbox.post(f"/reply/{number}", b"text=Please+cancel+my+order.", "application/x-www-form-urlencoded")
    assert "Please cancel my order." in inbox.mails("shop@example.com")[-1]["text"]
    assert inbox.post(f"/reply/{number}", b"text=", "application/x-www-form-urlencoded")[0] == 400


def test_mail_survives_a_restart_of_the_inbox(tmp_path: Path) -> None:
    Store(tmp_path / "mail.db").add(b"Subject: Kept\r\n\r\nText\r\n", "a@example.com", ["b@example.com"])
    assert [message.subject for message in Store(tmp_path / "mail.db").messages("b@example.com")] == ["Kept"]


@pytest.mark.parametrize(
    ("subject", "shown"),
    [("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"), ("=?unheard-of?q?x?=", "=?unheard-of?q?x?="), ("", "")],
)
def test_a_mail_that_is_oddly_written_is_shown_all_the_same(tmp_path: Path, subject: str, shown: str) -> None:
    store = Store(tmp_path / "mail.sqlite")
    head = f"Subject: {subject}\nContent-Type: text/plain; charset=unheard-of\n\n"
    store.add(head.encode() + "Tschüß".encode(), "", ["ana@example.com"])
    [mail] = store.messages()
    assert (mail.subject, mail.text, mail.html) == (shown, "Tschüß", "")
