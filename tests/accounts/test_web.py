"""The pages' edge: who gets in, what a form must carry, what is committed, how a refusal looks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask, request
from sqlalchemy import text

from app.browser import STAFF_COOKIE, form_token
from app.web import console_page, operator_session, page, staff_actor
from infra.errors import refused
from infra.ids import new_id
from tenants import accounts, members, passwords, service, sessions
from tenants.scope import current, directory, inside
from tenants.sessions import Visit
from tests.accounts.conftest import PASSWORD, Person, csrf
from tests.outside import Inbox


@pytest.fixture(scope="module")
def app(in_force: Any) -> Flask:
    """The application with a few pages that only these tests need."""
    from app.factory import create_app

    app = create_app()

    @app.get("/test/read")
    @page("orders:read")
    def read() -> str:
        return str(current().actor)

    @app.post("/test/write")
    @page("settings:write")
    def write() -> Any:
        current().execute("UPDATE tenants SET name = 'Renamed' WHERE tenant_id = :tenant")
        if request.form.get("how") == "refused":
            raise refused("some-rule", "A rule says no.")
        return ("shape", 422) if request.form.get("how") == "shape" else "done"

    @app.get("/test/fails")
    @page()
    def fails() -> str:
        raise RuntimeError("a secret of the inside")

    @app.get("/console/test")
    @console_page()
    def console() -> str:
        with pytest.raises(Exception, match="read-only"):
            operator_session().execute(text("UPDATE tenants SET name = 'x'"))
        return f"{staff_actor()} sees all"

    return app


def tenant_of(person: Person) -> UUID:
    with directory() as session:
        account = accounts.find(session, person.email)
        assert account is not None
    choices = members.choices(account.id)
    return next(choice.tenant_id for choice in choices if choice.environment == "sandbox")


def name_of(tenant_id: UUID) -> str:
    with inside(tenant_id) as scope:
        return scope.tenant.name


def as_role(person: Person, role: str) -> None:
    """Give the only owner another role, past the rule that keeps one."""
    with inside(tenant_of(person)) as scope:
        scope.execute("UPDATE members SET role = :role WHERE tenant_id = :tenant", role=role)


def write(person: Person, how: str = "") -> Any:
    return person.send("/test/write", page="/account", how=how)


def test_a_member_works_inside_their_tenant(owner: Person) -> None:
    assert owner.read("/test/read") == "member:Priya Raman"


def test_what_answers_below_400_is_committed_and_nothing_else(owner: Person) -> None:
    tenant_id = tenant_of(owner)
    refusal = write(owner, "refused")
    assert (refusal.status_code, "A rule says no." in refusal.text) == (409, True)
    assert write(owner, "shape").status_code == 422
    assert name_of(tenant_id) == "Alder & Finch"
    assert write(owner).text == "done"
    assert name_of(tenant_id) == "Renamed"


def test_a_change_needs_the_token_of_this_session(owner: Person, app: Flask, inbox: Inbox) -> None:
    other = Person(app)
    other.sign_up(inbox)
    for token in ("", "wrong", csrf(other.read("/account"))):
        assert owner.post("/test/write", csrf_token=token).status_code == 400
    assert name_of(tenant_of(owner)) == "Alder & Finch"
    by_header = owner.client.post("/test/write", headers={"X-CSRF-Token": csrf(owner.read("/account"))})
    assert by_header.text == "done"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_change_from_another_site_is_refused(owner: Person, headers: dict[str, str]) -> None:
    token = csrf(owner.read("/account"))
    answer = owner.client.post("/test/write", data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 400
    assert name_of(tenant_of(owner)) == "Alder & Finch"


def test_a_role_without_the_permission_is_refused(owner: Person) -> None:
    as_role(owner, "analyst")
    assert owner.read("/test/read")
    answer = write(owner)
    assert answer.status_code == 403
    assert "analyst" in answer.text
    assert "An owner of your team can change that under Settings, Team." in answer.text
    assert name_of(tenant_of(owner)) == "Alder & Finch"


def test_a_removed_member_is_out_at_the_next_request(owner: Person, app: Flask, inbox: Inbox) -> None:
    other = Person(app)
    other.sign_up(inbox)
    with directory() as session:
        account = accounts.find(session, other.email)
    assert account is not None
    with inside(tenant_of(owner)) as scope:
        member_id = service.add_member(scope, account.id, "manager")
    other.send(f"/tenants/{tenant_of(owner)}", page="/tenants")
    assert other.read("/test/read")
    with inside(tenant_of(owner)) as scope:
        members.remove(scope, member_id)
    assert other.get("/test/read").location == "/tenants"
    refused_switch = other.send(f"/tenants/{tenant_of(owner)}", page="/tenants")
    assert refused_switch.status_code == 404


def test_a_tenant_of_others_cannot_be_chosen(owner: Person, app: Flask, inbox: Inbox) -> None:
    other = Person(app)
    other.sign_up(inbox)
    assert other.send(f"/tenants/{tenant_of(owner)}", page="/tenants").status_code == 404
    with directory() as session:
        session.execute(
            text("UPDATE web_sessions SET tenant_id = :theirs WHERE account_id ="
                 " (SELECT id FROM accounts WHERE email = :email)"),
            {"theirs": tenant_of(owner), "email": other.email},
        )  # fmt: skip
    assert other.get("/test/read").location == "/tenants", "the choice is not a right"


def test_a_suspended_tenant_says_so_on_every_page(owner: Person) -> None:
    service.suspend(tenant_of(owner), "Invoices are open since March.")
    answer = owner.get("/test/read")
    assert answer.status_code == 403
    assert "Invoices are open since March." in answer.text
    assert write(owner).status_code == 403
    owner.read("/tenants")
    service.resume(tenant_of(owner))
    assert owner.read("/test/read")


def test_htmx_gets_a_banner_and_a_person_a_page(owner: Person) -> None:
    whole = owner.get("/test/fails")
    part = owner.get("/test/fails", **{"HX-Request": "true"})
    assert whole.status_code == part.status_code == 500
    assert "<!doctype html>" in whole.text
    assert "<!doctype html>" not in part.text
    assert part.headers["HX-Retarget"] == "#problems"
    assert "secret" not in whole.text + part.text


def test_an_address_nobody_serves_is_a_page_for_people_and_a_problem_for_programs(person: Person) -> None:
    people = person.get("/nowhere", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (people.status_code, people.mimetype) == (404, "text/html")
    assert "There is nothing at this address" in people.text
    for path, accept in (("/nowhere", "*/*"), ("/v1/nowhere", "text/html")):
        program = person.get(path, Accept=accept)
        assert (program.status_code, program.mimetype) == (404, "application/problem+json")
    assert person.get("/log-out", Accept="text/html").status_code == 405


def test_the_environment_is_switched(owner: Person) -> None:
    with directory() as session:
        account = accounts.find(session, owner.email)
    assert account is not None
    live = next(each.tenant_id for each in members.choices(account.id) if each.environment == "live")
    assert "Sandbox." in owner.read("/onboarding")
    assert owner.send(f"/tenants/{live}", page="/tenants").status_code == 303
    assert "Sandbox." not in owner.read("/onboarding")
    assert "Sandbox." not in _again(owner).read("/onboarding"), "the next log-in goes on where one was last"


def _again(person: Person) -> Person:
    found = Person(person.client.application, person.email)
    found.log_in()
    return found


@pytest.fixture
def staff() -> str:
    """An address of somebody at the console."""
    email = f"ops-{new_id()}@kept.example"
    with directory() as session:
        session.execute(
            text("INSERT INTO staff (id, email, name, password_hash, created_at)"
                 " VALUES (:id, :email, 'Sam', :hash, now())"),
            {"id": new_id(), "email": email, "hash": passwords.hash_password(PASSWORD)},
        )  # fmt: skip
    return email


def recognized(person: Person) -> Visit | None:
    cookie = person.client.get_cookie(STAFF_COOKIE)
    assert cookie is not None
    with directory() as session:
        return sessions.recognize(session, cookie.value)


def test_staff_come_in_by_password_where_no_single_sign_on_is_set(app: Flask, staff: str) -> None:
    person = Person(app, staff)
    assert person.get("/console/test").location == "/console/log-in?next=%2Fconsole%2Ftest"
    wrong = person.send("/console/log-in", email=staff, password="not the password")
    assert wrong.status_code == 422
    assert person.send("/console/log-in", email=staff, password=PASSWORD).location == "/console"
    assert person.read("/console/test") == "staff:Sam sees all"
    assert person.post("/console/log-out").status_code == 400, "without the form's token"
    assert person.read("/console/test")
    token = form_token(recognized(person))
    assert person.post("/console/log-out", csrf_token=token).location == "/console/log-in"
    assert person.get("/console/test").status_code == 303


def test_the_two_sessions_open_nothing_of_each_other(app: Flask, owner: Person, staff: str) -> None:
    assert owner.get("/console/test").status_code == 303
    person = Person(app, staff)
    person.send("/console/log-in", email=staff, password=PASSWORD)
    assert person.get("/test/read").location.startswith("/log-in")
    cookie = person.client.get_cookie(STAFF_COOKIE)
    assert cookie is not None
    person.client.set_cookie("kept_session", cookie.value)
    assert person.get("/test/read").location.startswith("/log-in")


def test_one_browser_may_be_at_both_doors(app: Flask, owner: Person, staff: str) -> None:
    assert owner.send("/console/log-in", email=staff, password=PASSWORD).location == "/console"
    assert owner.read("/console/test")
    assert write(owner).text == "done"


def test_a_member_is_nobody_at_the_console(app: Flask, owner: Person) -> None:
    answer = Person(app).send("/console/log-in", email=owner.email, password=PASSWORD)
    assert answer.status_code == 422
