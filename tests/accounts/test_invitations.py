"""Invitations by mail: new persons, known ones, the wrong ones."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tenants import accounts, members
from tenants.scope import directory, inside
from tests.accounts.conftest import PASSWORD, Person, csrf, link
from tests.accounts.test_web import tenant_of
from tests.outside import Inbox
from workers.runner import drain


def invite(owner: Person, email: str, role: str = "agent") -> Any:
    answer = owner.send("/settings/team/invitations", page="/settings/team", email=email, role=role)
    drain(tenant_of(owner))
    return answer


def test_a_new_person_joins_with_the_link(owner: Person, person: Person, inbox: Inbox) -> None:
    assert invite(owner, person.email).status_code == 303
    address = link(inbox, person.email, "/invitations/")
    page = person.read(address)
    assert "Priya Raman invites" in page
    assert "as an agent" in page
    assert person.send(address, name="", password="short").status_code == 422
    assert person.send(address, name="Dana Whitlock", password=PASSWORD).location == "/home"
    assert "Dana Whitlock" in person.read("/account")
    assert person.get("/settings").status_code == 403
    assert "Dana Whitlock" in owner.read("/settings/team")
    assert person.get(address).status_code == 404, "it works once"


def test_a_known_person_logs_in_to_join(owner: Person, app: Flask, inbox: Inbox) -> None:
    other = Person(app)
    other.sign_up(inbox, "Northlight Paper")
    invite(owner, other.email, "manager")
    address = link(inbox, other.email, "/invitations/")
    stranger = Person(app)
    page = stranger.read(address)
    assert "Log in to join" in page
    token = csrf(stranger.read("/log-in"))
    taken_over = stranger.post(address, csrf_token=token, name="X", password="a stolen account")
    assert taken_over.status_code == 303
    assert stranger.get("/account").status_code == 303, "the link is not a log-in to a known account"
    assert other.send(address).location == "/home"
    assert "Alder &amp; Finch" in other.read("/tenants")
    assert other.read("/settings/team")


def test_an_invitation_is_for_its_address(owner: Person, person: Person, app: Flask, inbox: Inbox) -> None:
    invite(owner, person.email)
    other = Person(app)
    other.sign_up(inbox, "Northlight Paper")
    address = link(inbox, person.email, "/invitations/")
    assert f"logged in as {other.email}" in other.read(address)
    other.send(address)
    assert "Alder" not in other.read("/tenants")


def test_a_withdrawn_or_replaced_invitation_is_over(owner: Person, person: Person, inbox: Inbox) -> None:
    invite(owner, person.email)
    first = link(inbox, person.email, "/invitations/")
    invite(owner, person.email, "picker")
    assert person.get(first).status_code == 404
    second = link(inbox, person.email, "/invitations/")
    assert "as a picker" in person.read(second)
    page = owner.read("/settings/team")
    withdrawal = page.split('action="/settings/team/invitations/')[1].split('"')[0]
    owner.send(f"/settings/team/invitations/{withdrawal}", page="/settings/team")
    over = person.get(second)
    assert over.status_code == 404
    assert "Ask whoever invited you" in over.text


def test_an_invitation_to_an_unproven_account_starts_afresh(
    owner: Person, person: Person, app: Flask, inbox: Inbox
) -> None:
    stranger = Person(app, person.email)
    stranger.send(
        "/sign-up", name="X", business="Trap", email=person.email, password=PASSWORD, zone="America/Chicago"
    )
    invite(owner, person.email)
    address = link(inbox, person.email, "/invitations/")
    assert person.send(address, name="Dana", password="a password of mine").status_code == 303
    assert stranger.log_in(PASSWORD).status_code == 422


def test_faults_of_the_form_stand_at_their_fields(owner: Person) -> None:
    for email, role, words in (
        ("nobody", "agent", "Enter an email address"),
        (owner.email, "agent", "is in the team already"),
        ("dana@shop.example", "king", "Choose one of the list."),
    ):
        answer = invite(owner, email, role)
        assert answer.status_code == 422
        assert words in answer.text
        assert f'value="{email}"' in answer.text


def test_an_address_that_takes_no_mail_is_written_down(owner: Person, inbox: Inbox) -> None:
    inbox.refuse("gone@shop.example", 550)
    invite(owner, "gone@shop.example")
    assert "Invitation: undeliverable" in owner.read("/settings/audit")


def test_the_last_owner_stays(owner: Person, app: Flask, inbox: Inbox) -> None:
    with inside(tenant_of(owner)) as scope:
        own = members.listed(scope)[0].id
    page = f"/settings/team/{own}"
    for path, fields in (("role", {"role": "agent"}), ("removal", {})):
        answer = owner.send(f"{page}/{path}", page=page, **fields)
        assert answer.status_code in (409, 422)
        assert "A team needs an owner." in answer.text
    with inside(tenant_of(owner)) as scope:
        assert [row.role for row in members.listed(scope)] == ["owner"]


def test_roles_change_and_members_go(owner: Person, person: Person, inbox: Inbox) -> None:
    invite(owner, person.email)
    person.send(link(inbox, person.email, "/invitations/"), name="Dana", password=PASSWORD)
    with inside(tenant_of(owner)) as scope:
        dana = next(row.id for row in members.listed(scope) if row.role == "agent")
    page = f"/settings/team/{dana}"
    assert person.get(page).status_code == 403
    assert owner.send(f"{page}/role", page=page, role="manager").status_code == 303
    before = person.client.get_cookie("kept_session")
    assert person.get("/settings").location == "/settings/business"
    after = person.client.get_cookie("kept_session")
    assert before is not None
    assert after is not None
    assert before.value != after.value, "a new role, a new token"
    assert person.send(f"{page}/role", page="/account", role="owner").status_code == 403
    assert owner.send(f"{page}/removal", page=page).status_code == 303
    assert person.get("/home").location == "/tenants"
    with directory() as session:
        account = accounts.find(session, person.email)
        assert account is not None
        assert accounts.tenants_of(session, account.id) == []
