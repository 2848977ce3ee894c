"""From a stranger to an owner: sign-up, the mail, the proof, the first steps."""

from __future__ import annotations

import re

from flask import Flask
from sqlalchemy import text

from tenants import accounts, members
from tenants.scope import directory, inside
from tests.accounts.conftest import PASSWORD, Person, csrf, link
from tests.accounts.test_settings import make_key
from tests.accounts.test_web import tenant_of
from tests.outside import Inbox
from workers.runner import drain

FIELDS = {"name": "Priya Raman", "business": "Alder & Finch", "password": PASSWORD, "zone": "America/Chicago"}


def tenants_of(email: str) -> list:
    with directory() as session:
        account = accounts.find(session, email)
        return [] if account is None else accounts.tenants_of(session, account.id)


def test_signing_up_opens_a_sandbox_and_a_live_account(person: Person, inbox: Inbox) -> None:
    assert person.sign_up(inbox).location == "/onboarding"
    found = {}
    for tenant_id in tenants_of(person.email):
        with inside(tenant_id) as scope:
            member = scope.row("SELECT role, email FROM members WHERE tenant_id = :tenant")
            assert (member.role, member.email) == ("owner", person.email)
            found[scope.tenant.environment] = (scope.tenant.name, scope.tenant.timezone)
    assert found == dict.fromkeys(("sandbox", "live"), ("Alder & Finch", "America/Chicago"))
    page = person.read("/onboarding")
    assert "Sandbox." in page
    assert "0 of 7 done" in page or "1 of 7 done" in page  # payments connect by themselves, later


def test_nothing_opens_before_the_address_is_proven(person: Person, inbox: Inbox) -> None:
    assert person.send("/sign-up", email=person.email, **FIELDS).location == "/sign-up/sent"
    assert tenants_of(person.email) == []
    assert person.get("/onboarding").location.startswith("/log-in")
    answer = person.log_in()
    assert answer.location == "/sign-up/sent"
    assert len(inbox.to(person.email)) == 2
    assert person.get("/onboarding").location.startswith("/log-in")


def test_opening_the_link_alone_proves_nothing(person: Person, inbox: Inbox) -> None:
    person.send("/sign-up", email=person.email, **FIELDS)
    assert person.get(link(inbox, person.email, "/verify/")).status_code == 200
    with directory() as session:
        account = accounts.find(session, person.email)
    assert account is not None
    assert not account.is_verified


def test_another_browser_must_know_the_password(app: Flask, person: Person, inbox: Inbox) -> None:
    """A stranger may sign up with my address; my click must not open an account that they can enter."""
    person.send("/sign-up", email=person.email, **FIELDS)
    address = link(inbox, person.email, "/verify/")
    elsewhere = Person(app, person.email)
    refused = elsewhere.send(address, password="not what was chosen")
    assert refused.status_code == 422
    assert "not the password chosen" in refused.text
    assert tenants_of(person.email) == []
    assert elsewhere.send(address, password=PASSWORD).location == "/onboarding"
    assert len(tenants_of(person.email)) == 2


def test_a_second_click_opens_nothing_more(person: Person, inbox: Inbox) -> None:
    person.send("/sign-up", email=person.email, **FIELDS)
    address = link(inbox, person.email, "/verify/")
    token = csrf(person.read(address))
    for _ in range(2):
        person.post(address, csrf_token=token)
    assert len(tenants_of(person.email)) == 2


def test_a_known_address_tells_a_stranger_nothing(app: Flask, owner: Person, inbox: Inbox) -> None:
    stranger, newcomer = Person(app, owner.email), Person(app)
    with directory() as session:
        before = session.execute(
            text("SELECT name, password_hash FROM accounts WHERE email = :email"), {"email": owner.email}
        ).one()
    answers = [who.send("/sign-up", email=who.email, **FIELDS) for who in (stranger, newcomer)]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, "/sign-up/sent")] * 2
    pages = [who.read("/sign-up/sent").replace(who.email, "X") for who in (stranger, newcomer)]
    assert csrf(pages[0]) != csrf(pages[1])
    assert pages[0].replace(csrf(pages[0]), "") == pages[1].replace(csrf(pages[1]), "")
    mail = inbox.to(owner.email)[-1]
    assert mail.subject == "You already have an account with Kept"
    assert "/verify/" not in mail.text
    with directory() as session:
        after = session.execute(
            text("SELECT name, password_hash FROM accounts WHERE email = :email"), {"email": owner.email}
        ).one()
    assert before == after


def test_faults_stand_at_their_fields_and_values_stay(person: Person) -> None:
    answer = person.send(
        "/sign-up", name="Priya", business="", email="priya@nowhere", password="short", zone="Mars"
    )
    assert answer.status_code == 422
    for words in (
        "Enter the name your buyers know.",
        "Enter an email address such as",
        "Use at least 10 characters.",
        "Choose one of the list.",
        'value="Priya"',
        'value="priya@nowhere"',
    ):
        assert words in answer.text
    assert 'value="short"' not in answer.text


def test_an_easy_password_is_refused(person: Person) -> None:
    for easy in ("password123", "aaaaaaaaaaaa", person.email):
        answer = person.send("/sign-up", email=person.email, **(FIELDS | {"password": easy}))
        assert answer.status_code == 422, easy


def test_the_mail_can_be_sent_again_and_a_changed_link_is_refused(person: Person, inbox: Inbox) -> None:
    person.send("/sign-up", email=person.email, **FIELDS)
    assert person.send("/sign-up/again", page="/sign-up/sent").location == "/sign-up/sent?again=1"
    assert "Sent again." in person.read("/sign-up/sent?again=1")
    assert len(inbox.to(person.email)) == 2
    address = link(inbox, person.email, "/verify/")
    answer = person.get(address[:-3] + "xyz")
    assert answer.status_code == 404
    assert "not complete" in answer.text


def test_when_no_mail_can_be_sent_the_page_is_the_same(person: Person, inbox: Inbox) -> None:
    inbox.refuse(person.email, 450)
    assert person.send("/sign-up", email=person.email, **FIELDS).location == "/sign-up/sent"
    assert "Send it again" in person.read("/sign-up/sent")
    inbox.refuse(person.email, 0)
    person.send("/sign-up/again", page="/sign-up/sent")
    assert person.send(link(inbox, person.email, "/verify/")).location == "/onboarding"


def test_a_form_without_its_token_or_from_elsewhere_is_refused(person: Person) -> None:
    fields = {"email": person.email, **FIELDS}
    assert person.post("/sign-up", **fields).status_code == 400
    token = csrf(person.read("/sign-up"))
    for origin in ("https://evil.example", "null"):
        answer = person.client.post(
            "/sign-up", data={**fields, "csrf_token": token}, headers={"Origin": origin}
        )
        assert answer.status_code == 400, origin
    assert tenants_of(person.email) == []
    own = person.client.post(
        "/sign-up", data={**fields, "csrf_token": token}, headers={"Origin": "http://localhost"}
    )
    assert own.status_code == 303


def test_the_first_steps_are_ticked_by_what_is_there(owner: Person) -> None:
    page = owner.read("/onboarding")
    assert page.count("data-done") == 0
    assert "Fill with sample data" in page
    assert owner.send("/onboarding/sample", page="/onboarding").location == "/onboarding"
    after = owner.read("/onboarding")
    assert after.count("data-done") == 3
    assert "Fill with sample data" not in after
    twice = owner.send("/onboarding/sample", page="/account")
    assert twice.status_code == 409
    assert "empty sandbox" in twice.text
    drain(tenant_of(owner))
    assert owner.read("/onboarding").count("data-done") == 4, "payments connect by themselves"
    make_key(owner)
    assert owner.read("/onboarding").count("data-done") == 5
    assert "Say how buyers reach you" in after
    with inside(tenant_of(owner)) as scope:
        scope.execute(
            "UPDATE tenants SET settings = jsonb_set(settings, '{contact}', '{\"email\": \"help@shop.example\"}')"
            " WHERE tenant_id = :tenant"
        )
    assert owner.read("/onboarding").count("data-done") == 6


def test_every_link_of_the_first_steps_leads_somewhere(owner: Person) -> None:
    card = owner.read("/onboarding").split('class="todo"')[1].split("</ol>")[0]
    for path in re.findall(r'href="(/[^"#]*)"', card):
        if "/static/" not in path:
            owner.read(path)


def test_sample_data_never_goes_into_a_live_account(owner: Person) -> None:
    with directory() as session:
        account = accounts.find(session, owner.email)
    assert account is not None
    live = next(each.tenant_id for each in members.choices(account.id) if each.environment == "live")
    owner.send(f"/tenants/{live}", page="/tenants")
    assert "Fill with sample data" not in owner.read("/onboarding")
    assert owner.send("/onboarding/sample", page="/account").status_code == 409
