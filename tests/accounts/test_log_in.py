"""Logging in and out, sessions, and a new password."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from sqlalchemy import text

from app.browser import MEMBER_COOKIE
from infra.clock import real_now
from tenants.credentials import digest
from tenants.scope import directory
from tests.accounts.conftest import PASSWORD, Person, csrf, link
from tests.outside import Inbox


def cookie(person: Person) -> str:
    found = person.client.get_cookie(MEMBER_COOKIE)
    assert found is not None
    return found.value


def set_cookie(person: Person, value: str) -> None:
    person.client.set_cookie(MEMBER_COOKIE, value)


def age(person: Person, **moved: timedelta) -> None:
    """Make the session of a person's cookie older: rotated_at, seen_at, expires_at."""
    sets = ", ".join(f"{column} = {column} - :{column}" for column in moved)
    with directory() as session:
        session.execute(
            text(f"UPDATE web_sessions SET {sets} WHERE token_digest = :digest OR previous_digest = :digest"),
            {"digest": digest(cookie(person)), **moved},
        )


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(owner: Person, app: Flask) -> None:
    known, unknown = Person(app, owner.email), Person(app, "nobody@shop.example")
    answers = [who.log_in("not the password") for who in (known, unknown)]
    texts = [
        answer.text.replace(who.email, "X").replace(csrf(answer.text), "")
        for who, answer in zip((known, unknown), answers, strict=True)
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert "Email and password do not match." in texts[0]
    assert texts[0] == texts[1]


def test_guessing_is_stopped_per_account(owner: Person, app: Flask) -> None:
    statuses = [Person(app, owner.email).log_in("a wrong guess").status_code for _ in range(12)]
    assert statuses.count(422) == 10
    assert statuses[-1] == 429
    late = Person(app, owner.email).log_in()
    assert late.status_code == 429
    assert "Wait" in late.text


def test_guessing_is_stopped_per_network_address(app: Flask) -> None:
    guesser = Person(app)
    token = csrf(guesser.read("/log-in"))
    statuses = [
        guesser.post("/log-in", csrf_token=token, email=f"n{n}@shop.example", password="x" * 10).status_code
        for n in range(32)
    ]
    assert statuses[:30] == [422] * 30
    assert statuses[30:] == [429, 429]


def test_the_cookie_is_kept_from_scripts_and_other_sites(owner: Person, app: Flask) -> None:
    answer = Person(app, owner.email).log_in()
    sent = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith(MEMBER_COOKIE))
    assert "HttpOnly" in sent
    assert "SameSite=Lax" in sent
    assert "Path=/" in sent
    assert answer.headers["Cache-Control"] == "no-store"
    with directory() as session:
        kept = session.execute(text("SELECT token_digest FROM web_sessions")).scalars().all()
    assert all(len(value) == 32 for value in kept)


def test_logging_in_leads_back_but_never_away(owner: Person, app: Flask) -> None:
    assert Person(app).get("/onboarding?x=1").location == "/log-in?next=%2Fonboarding%3Fx%3D1"
    assert Person(app, owner.email).log_in(next="/onboarding?x=1").location == "/onboarding?x=1"
    for away in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        location = Person(app, owner.email).log_in(next=away).location
        assert "evil" not in location


def test_logging_out_ends_the_session_for_good(owner: Person) -> None:
    before = cookie(owner)
    assert owner.send("/log-out", page="/account").location == "/log-in"
    set_cookie(owner, before)
    assert owner.get("/onboarding").location.startswith("/log-in")


def test_a_new_log_in_ends_the_session_before(owner: Person) -> None:
    before = cookie(owner)
    token = csrf(owner.read("/account"))
    assert owner.post("/log-in", csrf_token=token, email=owner.email, password=PASSWORD).status_code == 303
    assert cookie(owner) != before
    set_cookie(owner, before)
    assert owner.get("/account").location == "/log-in?next=%2Faccount"


def test_the_token_is_replaced_and_the_old_one_works_for_a_minute(owner: Person) -> None:
    first = cookie(owner)
    owner.read("/onboarding")
    assert cookie(owner) == first
    age(owner, rotated_at=timedelta(minutes=16))
    owner.read("/onboarding")
    second = cookie(owner)
    assert second != first
    set_cookie(owner, first)
    owner.read("/onboarding")
    assert cookie(owner) == first
    age(owner, rotated_at=timedelta(seconds=61))
    assert owner.get("/onboarding").location.startswith("/log-in")
    set_cookie(owner, second)
    assert owner.get("/onboarding").location.startswith("/log-in"), "a copied token ends the session"


def test_forms_of_a_page_stay_good_when_the_token_is_replaced(owner: Person) -> None:
    token = csrf(owner.read("/account"))
    age(owner, rotated_at=timedelta(minutes=16))
    assert owner.post("/account/sessions/end-others", csrf_token=token).status_code == 303


def test_an_unused_session_and_an_old_one_end(owner: Person, app: Flask) -> None:
    age(owner, seen_at=timedelta(hours=12, minutes=1))
    assert owner.get("/onboarding").location.startswith("/log-in")
    again = Person(app, owner.email)
    again.log_in()
    age(again, expires_at=timedelta(days=14))
    assert again.get("/onboarding").location.startswith("/log-in")


def test_htmx_is_sent_to_the_log_in_with_the_whole_page(person: Person) -> None:
    answer = person.get("/onboarding", **{"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/log-in")


def test_others_can_be_logged_out_from_the_account_page(owner: Person, app: Flask) -> None:
    others = [Person(app, owner.email) for _ in range(2)]
    for other in others:
        other.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
        other.log_in()
    page = owner.read("/account")
    assert page.count("Firefox on Windows") == 2
    one = page.split("/account/sessions/", 1)[1].split("/end", 1)[0]
    assert owner.send(f"/account/sessions/{one}/end", page="/account").status_code == 303
    assert sum(other.get("/account").status_code == 200 for other in others) == 1
    owner.send("/account/sessions/end-others", page="/account")
    assert [other.get("/account").status_code for other in others] == [303, 303]
    owner.read("/account")


def test_nobody_ends_the_session_of_somebody_else(owner: Person, app: Flask, inbox: Inbox) -> None:
    stranger = Person(app)
    stranger.sign_up(inbox)
    with directory() as session:
        theirs = session.execute(
            text("SELECT id FROM web_sessions WHERE token_digest = :digest"),
            {"digest": digest(cookie(owner))},
        ).scalar_one()
    assert stranger.send(f"/account/sessions/{theirs}/end", page="/account").status_code == 404
    owner.read("/account")


def test_the_password_is_changed_from_within(owner: Person, app: Flask) -> None:
    other = Person(app, owner.email)
    other.log_in()
    wrong = owner.send("/account/password", page="/account", current="not it", password="another long walk")
    assert wrong.status_code == 422
    assert "This is not your password." in wrong.text
    right = owner.send("/account/password", page="/account", current=PASSWORD, password="another long walk")
    assert right.status_code == 303
    owner.read("/account")
    assert other.get("/account").status_code == 303
    assert Person(app, owner.email).log_in().status_code == 422
    assert Person(app, owner.email).log_in("another long walk").status_code == 303


def test_a_reset_link_works_once_and_logs_out_everywhere(owner: Person, app: Flask, inbox: Inbox) -> None:
    forgetful = Person(app, owner.email)
    forgetful.send("/forgot-password", email=owner.email)
    address = link(inbox, owner.email, "/reset-password/")
    assert forgetful.send(address, password="short").status_code == 422
    assert forgetful.send(address, password="a new long password").status_code == 303
    assert owner.get("/account").status_code == 303
    forgetful.read("/account")
    used = Person(app).get(address)
    assert used.status_code == 404
    assert "Ask for a new one" in used.text
    assert Person(app, owner.email).log_in("a new long password").status_code == 303


def test_asking_for_a_reset_tells_nothing(owner: Person, app: Flask, inbox: Inbox) -> None:
    pages = []
    for email in (owner.email, "nobody-here@shop.example"):
        answer = Person(app).send("/forgot-password", email=email)
        assert answer.status_code == 200
        pages.append(answer.text.replace(email, "X").replace(csrf(answer.text), ""))
    assert pages[0] == pages[1]
    assert inbox.to("nobody-here@shop.example") == []


def test_a_reset_link_expires(owner: Person, app: Flask, inbox: Inbox, monkeypatch) -> None:
    Person(app).send("/forgot-password", email=owner.email)
    address = link(inbox, owner.email, "/reset-password/")
    later = (real_now() + timedelta(minutes=61)).timestamp()
    monkeypatch.setattr("time.time", lambda: later)
    answer = owner.get(address)
    monkeypatch.undo()
    assert answer.status_code == 404
    assert "This link has expired" in answer.text
    assert "worked for 1 hour" in answer.text
