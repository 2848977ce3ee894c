"""Mail out: what is refused for good, what is tried again, and what a header may hold."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from infra import mailer
from infra import settings as settings_module
from infra.embedded.ports import free_port
from infra.mailbox import smtp
from infra.mailbox.store import Store
from infra.mailer import Mail, Refused, Undelivered, send
from infra.settings import Settings
from tests.outside import Inbox

MAIL = Mail(
    "ana@mailer.example",
    "Tēst",
    "Plain ünd text\n",
    "<p>Rich</p>",
    "m-1",
    from_name='Alder, "Finch"',
    reply_to="help@alder.example",
)


def test_a_mail_arrives_in_both_parts(in_force: Settings, inbox: Inbox) -> None:
    send(MAIL)
    mail = inbox.to(MAIL.to)[-1]
    assert (mail.subject, mail.text.strip(), mail.html.strip()) == ("Tēst", "Plain ünd text", "<p>Rich</p>")


@pytest.mark.parametrize(("code", "raised"), [(550, Refused), (450, Undelivered), (421, Undelivered)])
def test_refusals_for_good_and_for_now(
    in_force: Settings, inbox: Inbox, code: int, raised: type[Exception]
) -> None:
    address = f"r{code}@mailer.example"
    inbox.refuse(address, code)
    with pytest.raises(raised):
        send(dataclasses.replace(MAIL, to=address))


def test_a_line_break_cannot_add_a_header(in_force: Settings) -> None:
    with pytest.raises(Refused):
        send(dataclasses.replace(MAIL, subject="Hello\nBcc: everybody@example.com"))


@pytest.mark.parametrize("url", ["", "smtp://127.0.0.1:{port}"])
def test_no_server_is_a_reason_to_try_later(in_force: Settings, url: str) -> None:
    settings_module.use(dataclasses.replace(in_force, smtp_url=url.format(port=free_port())))
    try:
        with pytest.raises(Undelivered):
            mailer.send(MAIL)
    finally:
        settings_module.use(in_force)


class Server:
    """A mail server that can be restarted, and how many connections each of its lives has seen."""

    def __init__(self, store: Store) -> None:
        self.store, self.port = store, free_port()
        self.lives: list[int] = []
        self.start()

    def start(self) -> None:
        self.lives.append(0)
        self.running = Controller(None, hostname="127.0.0.1", port=self.port)
        self.running.factory = self._session  # type: ignore[method-assign]
        self.running.start()

    def _session(self) -> object:
        self.lives[-1] += 1
        return smtp.protocol(self.store)()

    def restart(self) -> None:
        self.running.stop()
        self.start()


@pytest.fixture
def server(in_force: Settings) -> Iterator[Server]:
    """Where mail goes during the test."""
    with tempfile.TemporaryDirectory(prefix="kept_mail") as folder:
        made = Server(Store(Path(folder) / "mail.sqlite"))
        settings_module.use(dataclasses.replace(in_force, smtp_url=f"smtp://127.0.0.1:{made.port}"))
        yield made
        settings_module.use(in_force)
        made.running.stop()


def test_one_connection_carries_mail_after_mail_also_past_a_refusal(server: Server) -> None:
    server.store.refuse("nobody@mailer.example", 550)
    before = server.lives[0]  # the controller looks whether it runs
    for to in ("ana@mailer.example", "nobody@mailer.example", "ben@mailer.example"):
        try:
            send(dataclasses.replace(MAIL, to=to))
        except Refused:
            assert to.startswith("nobody")
    assert [mail.to for mail in server.store.messages()] == ["ana@mailer.example", "ben@mailer.example"]
    assert server.lives[0] - before == 1


def test_a_kept_connection_that_broke_is_replaced_before_the_next_mail(server: Server) -> None:
    send(MAIL)
    server.restart()
    send(MAIL)
    assert len(server.store.messages(to=MAIL.to)) == 2
