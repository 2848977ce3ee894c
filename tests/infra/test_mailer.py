"""Mail out: what is refused for good, what is tried again, and what a header may hold."""

from __future__ import annotations

import dataclasses

import pytest

from infra import mailer
from infra import settings as settings_module
from infra.embedded.ports import free_port
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
