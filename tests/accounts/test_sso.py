"""Single sign-on against a real OpenID provider on this machine."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from oidc_provider_mock import run_server_in_thread
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.accounts.sso import forget_providers
from infra import settings as settings_module
from infra.ids import new_id
from infra.settings import Settings
from tenants import accounts
from tenants.scope import directory
from tests.accounts.conftest import PASSWORD, Inbox, Person, csrf, link


class Provider:
    """The provider, and what its persons do there."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def identity(self, subject: str, **claims: object) -> None:
        """What the provider says of a person from now on."""
        answer = requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=10)
        assert answer.status_code == 204, answer.text

    def consent(self, address: str, subject: str) -> str:
        """Log in there as the subject; the path and query they are sent back with."""
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def log_in(self, person: Person, subject: str, door: str = "/log-in/sso") -> TestResponse:
        return person.get(self.consent(person.get(door).location, subject))


@pytest.fixture
def provider(in_force: Settings) -> Iterator[Provider]:
    """For members and for staff alike; it refuses log-ins without a nonce."""
    with run_server_in_thread(require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        client = {"client_id": "kept", "client_secret": "of the tests"}
        given = {f"oidc_{name}": value for name, value in client.items()}
        settings_module.use(
            dataclasses.replace(
                in_force,
                oidc_issuer=issuer,
                operator_oidc_issuer=issuer,
                **given,
                **{f"operator_{name}": value for name, value in given.items()},
            )
        )
        yield Provider(issuer)
    settings_module.use(in_force)
    forget_providers()


def verified(person: Person) -> dict[str, object]:
    return {"email": person.email, "email_verified": True, "name": person.name}


def test_a_new_person_opens_a_business(provider: Provider, person: Person) -> None:
    assert "single sign-on" in person.read("/log-in")
    provider.identity("new", **verified(person))
    assert provider.log_in(person, "new").location == "/start"
    opened = person.send("/start", business="Northlight Paper", zone="America/Denver")
    assert opened.location == "/onboarding"
    assert "Northlight Paper" in person.read("/onboarding")
    assert person.send("/start", page="/account", business="Twice", zone="UTC").status_code == 303
    assert "Twice" not in person.read("/tenants")


def test_a_known_person_comes_home_also_after_their_address_changed(
    provider: Provider, owner: Person, app: Flask
) -> None:
    provider.identity("known", **verified(owner))
    assert provider.log_in(Person(app), "known").location == "/home"
    provider.identity("known", email="moved@shop.example", email_verified=False)
    again = Person(app)
    provider.log_in(again, "known")
    assert owner.email in again.read("/account")
    owner.read("/account")


def test_an_unverified_address_opens_nothing(provider: Provider, owner: Person, app: Flask) -> None:
    for subject, claims in (
        ("liar", {"email": owner.email, "email_verified": False}),
        ("silent", {"email": owner.email}),
        ("nameless", {}),
    ):
        provider.identity(subject, **claims)
        stranger = Person(app)
        answer = provider.log_in(stranger, subject)
        assert answer.status_code == 403, subject
        assert "has not verified your email address" in answer.text
        assert stranger.get("/account").status_code == 303


def test_a_strangers_preparation_is_dropped(provider: Provider, app: Flask, inbox: Inbox) -> None:
    """Somebody signed up with my address and a password of theirs; then I log in by my identity provider."""
    me = Person(app)
    stranger = Person(app, me.email)
    stranger.send(
        "/sign-up", name="X", business="Trap", email=me.email, password=PASSWORD, zone="America/Chicago"
    )
    waiting = link(inbox, me.email, "/verify/")
    provider.identity("me", **verified(me))
    assert provider.log_in(me, "me").location == "/start"
    assert stranger.log_in().status_code == 422
    with directory() as session:
        account = accounts.find(session, me.email)
        assert account is not None
        assert accounts.tenants_of(session, account.id) == []
    assert stranger.get(waiting).location == "/log-in"
    token = csrf(stranger.read("/log-in"))
    assert stranger.post(waiting, csrf_token=token, password=PASSWORD).status_code == 422


def test_the_request_carries_pkce_state_and_nonce(provider: Provider, person: Person) -> None:
    query = parse_qs(urlsplit(person.get("/log-in/sso").location).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["response_type"] == ["code"]
    assert query["redirect_uri"] == ["http://127.0.0.1:8000/log-in/sso/back"]
    assert {"code_challenge", "state", "nonce"} <= set(query)


def test_an_answer_meant_for_another_browser_is_refused(
    provider: Provider, person: Person, app: Flask
) -> None:
    provider.identity("victim", **verified(person))
    mine = provider.consent(person.get("/log-in/sso").location, "victim")
    other = Person(app)
    other.get("/log-in/sso")
    assert other.get(mine).status_code == 400
    assert other.get("/account").status_code == 303
    assert person.get(mine).location == "/start"
    assert person.get(mine).status_code == 400, "a code works once"


@pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=y", "?error=access_denied&state=y"])
def test_nonsense_from_the_provider_is_an_ordinary_page(
    provider: Provider, person: Person, query: str
) -> None:
    person.get("/log-in/sso")
    answer = person.get(f"/log-in/sso/back{query}")
    assert answer.status_code == 400
    assert "Start it again" in answer.text


def test_a_provider_that_is_down_is_said_plainly(in_force: Settings, person: Person) -> None:
    settings_module.use(dataclasses.replace(in_force, oidc_issuer="http://127.0.0.1:9", oidc_client_id="x"))
    try:
        answer = person.get("/log-in/sso")
    finally:
        settings_module.use(in_force)
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_without_a_provider_there_is_no_such_page(person: Person) -> None:
    assert "single sign-on" not in person.read("/log-in")
    for path in ("/log-in/sso", "/log-in/sso/back", "/console/log-in/sso"):
        assert person.get(path).status_code == 404


def test_known_staff_come_in_and_nobody_else(provider: Provider, app: Flask, owner: Person) -> None:
    email = f"sam-{new_id()}@kept.example"
    with directory() as session:
        session.execute(
            text("INSERT INTO staff (id, email, name, created_at) VALUES (:id, :email, 'Sam', now())"),
            {"id": new_id(), "email": email},
        )
    provider.identity("sam", email=email, email_verified=True)
    provider.identity("member", email=owner.email, email_verified=True)
    door = "/console/log-in/sso"
    assert provider.log_in(Person(app), "sam", door).location == "/console"
    assert provider.log_in(Person(app), "sam", door).location == "/console", "linked by now"
    refused = provider.log_in(Person(app), "member", door)
    assert refused.status_code == 403
    assert "does not work on the console" in refused.text


def test_the_staff_password_is_off_with_single_sign_on(provider: Provider, person: Person) -> None:
    page = person.read("/console/log-in")
    assert 'type="password"' not in page
    token = csrf(person.read("/log-in"))
    answer = person.post("/console/log-in", csrf_token=token, email="x@kept.example", password=PASSWORD)
    assert answer.status_code == 404
    assert re.search(r'href="/console/log-in/sso"', page)
