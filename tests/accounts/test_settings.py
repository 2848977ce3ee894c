"""The pages of Settings through the real door."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.notices.letters import shop_of
from tenants import credentials, grants
from tenants.scope import inside
from tests.accounts.conftest import Person
from tests.accounts.test_web import as_role, tenant_of

PAGES = ("business", "notices", "team", "keys", "providers", "audit")


def api(client: FlaskClient, key: str, path: str) -> int:
    return client.get(f"/v1{path}", headers={"Authorization": f"Bearer {key}"}).status_code


def shown(html: str) -> str:
    """The key on the page that shows it once."""
    found = re.search(r'data-copy="(kept_[^"]+_[^"]{20,})"', html)
    assert found, html
    return found[1]


def make_key(owner: Person, **fields: Any) -> Any:
    return owner.send("/settings/keys/new", **({"name": "Web shop", "scopes": ["orders:read"]} | fields))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_shown_with_its_tabs(owner: Person, name: str) -> None:
    page = owner.read(f"/settings/{name}")
    for other in PAGES:
        assert f'href="/settings/{other}"' in page


def test_settings_lead_to_the_first_page_one_may_open(owner: Person) -> None:
    assert owner.get("/settings").location == "/settings/business"
    as_role(owner, "analyst")
    page = owner.read("/settings/business")
    assert "/settings/keys" not in page
    assert "Save settings" not in page
    for closed in ("keys", "team", "providers", "keys/new"):
        assert owner.get(f"/settings/{closed}").status_code == 403, closed


def test_a_key_is_shown_once_works_and_is_found_by_its_start(owner: Person) -> None:
    answer = make_key(owner, rate_limit="120")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    key = shown(answer.text)
    assert key.startswith("kept_test_")
    listed = owner.read("/settings/keys")
    assert key not in listed
    assert credentials.prefix_of(key) in listed
    assert "Never used" in listed
    assert api(owner.client, key, "/orders") == 200
    assert api(owner.client, key, "/skus") == 403
    assert "Never used" not in owner.read("/settings/keys")


def test_a_key_rotates_with_overlap_and_is_revoked(owner: Person) -> None:
    old = shown(make_key(owner).text)
    with inside(tenant_of(owner)) as scope:
        first = credentials.listed(scope)[0].id
    page = f"/settings/keys/{first}"
    answer = owner.send(f"{page}/rotation", page=page, overlap="24")
    assert "works for another day" in answer.text
    new = shown(answer.text)
    assert [api(owner.client, key, "/orders") for key in (old, new)] == [200, 200]
    assert "Rotated" in owner.read(page)
    again = owner.send(f"{page}/rotation", page=page, overlap="24")
    assert again.status_code == 409
    assert "already revoked or rotated" in again.text
    assert owner.send(f"{page}/revocation", page=page).status_code == 303
    assert [api(owner.client, key, "/orders") for key in (old, new)] == [401, 200]
    assert "Revoked" in owner.read(page)


def test_a_rotation_at_once_ends_the_old_key(owner: Person) -> None:
    old = shown(make_key(owner).text)
    with inside(tenant_of(owner)) as scope:
        page = f"/settings/keys/{credentials.listed(scope)[0].id}"
    owner.send(f"{page}/rotation", page=page, overlap="0")
    assert api(owner.client, old, "/orders") == 401


def test_faults_of_a_new_key_stand_in_place(owner: Person) -> None:
    yesterday = (date.today() - timedelta(days=2)).isoformat()
    answer = make_key(owner, name="", scopes=["nothing:read"], expires=yesterday, rate_limit="0")
    assert answer.status_code == 422
    for words in (
        "Enter a name you will know it by.",
        "Choose at least one.",
        "Choose a day to come.",
        "Enter a whole number from 1",
        f'value="{yesterday}"',
    ):
        assert words in answer.text
    with inside(tenant_of(owner)) as scope:
        assert credentials.listed(scope) == []


def test_nobody_makes_a_key_that_may_do_more_than_themselves(owner: Person) -> None:
    as_role(owner, "manager")
    assert "team:write" not in owner.read("/settings/keys/new")
    assert make_key(owner, scopes=["team:write"]).status_code == 422


def test_an_oauth_client_is_made_rotated_and_revoked(owner: Person) -> None:
    answer = owner.send("/settings/clients/new", name="ERP", scopes=["orders:read", "skus:read"])
    client_id, secret = re.findall(r'data-copy="([^"]+)"', answer.text)
    assert client_id.startswith("kept_client_")
    fields = {"grant_type": "client_credentials", "client_id": client_id}
    token = owner.post("/oauth/token", **fields, client_secret=secret).get_json()["access_token"]
    assert api(owner.client, token, "/orders") == 200
    listed = owner.read("/settings/keys")
    assert secret not in listed
    page = "/settings/clients/" + listed.split('href="/settings/clients/')[-1].split('"')[0]
    rotated = owner.send(f"{page}/rotation", page=page, overlap="0")
    _, fresh = re.findall(r'data-copy="([^"]+)"', rotated.text)
    assert owner.post("/oauth/token", **fields, client_secret=secret).status_code == 401
    assert owner.post("/oauth/token", **fields, client_secret=fresh).status_code == 200
    owner.send(f"{page}/revocation", page=page)
    assert api(owner.client, token, "/orders") == 401


def test_a_provider_gets_nodes_dates_and_a_key(owner: Person) -> None:
    answer = owner.send(
        "/settings/providers/new",
        name="Dockside",
        where="*",
        scopes=["fulfillment:read"],
        ends=(date.today() + timedelta(days=30)).isoformat(),
    )
    page = answer.location
    assert page.startswith("/settings/providers/")
    assert "Every node, also those added later." in owner.read(page)
    key = shown(owner.send(f"{page}/keys", page=page, name="Warehouse system").text)
    assert api(owner.client, key, "/fulfillment-orders") == 200
    assert api(owner.client, key, "/orders") == 403
    assert owner.send(f"{page}/end", page=page).status_code == 303
    assert api(owner.client, key, "/fulfillment-orders") == 403
    assert "Ended" in owner.read("/settings/providers")
    assert "Make the key" not in owner.read(page)


def test_a_provider_known_here_is_granted_by_its_id(owner: Person) -> None:
    fields = {"where": "*", "scopes": ["fulfillment:read"]}
    first = owner.send("/settings/providers/new", name="Dockside", **fields).location
    with inside(tenant_of(owner)) as scope:
        provider_id = grants.listed(scope)[0].provider_id
    second = owner.send("/settings/providers/new", provider_id=str(provider_id), **fields)
    assert second.status_code == 303
    assert second.location != first
    with inside(tenant_of(owner)) as scope:
        assert {row.provider_id for row in grants.listed(scope)} == {provider_id}
    wrong = owner.send("/settings/providers/new", provider_id="0197-nobody", **fields)
    assert wrong.status_code == 422
    assert "No organization has this id." in wrong.text


def test_faults_of_a_new_provider_stand_in_place(owner: Person) -> None:
    answer = owner.send(
        "/settings/providers/new", name="", where="some", nodes=["ELSEWHERE"], ends="2020-01-01"
    )
    assert answer.status_code == 422
    for words in (
        "Enter the organization&#39;s name.",
        "Choose at least one node.",
        "Choose at least one.",
        "Choose a day to come, after the first one.",
    ):
        assert words in answer.text
    with inside(tenant_of(owner)) as scope:
        assert grants.listed(scope) == []


def test_of_two_people_who_change_the_business_settings_the_second_is_told(owner: Person) -> None:
    fields = {
        "name": "Alder & Finch",
        "zone": "America/Denver",
        "delay": "automatic",
        "payment_hold_hours": "24",
    }
    found = re.search(r'name="replaces" value="([0-9a-f]+)"', owner.read("/settings/business"))
    assert found is not None
    opened = fields | {"replaces": found[1]}
    assert owner.send("/settings/business", **opened, hours="weekdays 9 to 5").status_code == 303
    second = owner.send("/settings/business", **opened, toll_free="1-800-555-0100")
    assert second.status_code == 409
    assert "Somebody changed these settings meanwhile." in second.text
    assert 'value="1-800-555-0100"' in second.text, "what was typed stays"
    with inside(tenant_of(owner)) as scope:
        assert scope.tenant.settings["contact"] == {"email": "", "toll_free": "", "hours": "weekdays 9 to 5"}


def test_business_settings_are_saved_and_written_down(owner: Person) -> None:
    fields = {
        "name": "Alder and Finch",
        "zone": "America/Denver",
        "email": "hello@alder.example",
        "toll_free": "1-800-555-0100",
        "hours": "weekdays 9 to 5",
        "delay": "approve",
        "shipped": "1",
        "payment_hold_hours": "48",
    }
    assert owner.send("/settings/business", **fields).status_code == 303
    with inside(tenant_of(owner)) as scope:
        tenant = scope.tenant
    assert (tenant.name, tenant.timezone) == ("Alder and Finch", "America/Denver")
    assert tenant.settings["payment_hold_hours"] == 48
    assert tenant.settings["notices"] == {
        "delay": "approve",
        "received": "off",
        "shipped": "on",
        "undelivered": "off",
    }
    with inside(tenant_of(owner)) as scope:
        shop = shop_of(scope)
    assert (shop.reply_email, shop.toll_free) == ("hello@alder.example", "1-800-555-0100")
    page = owner.read("/settings/business")
    assert 'value="48"' in page
    assert "Settings: changed" in owner.read("/settings/audit")
    for wrong, words in (
        ({"payment_hold_hours": "0"}, "Enter a whole number from 1 to 336."),
        ({"email": "nobody"}, "Enter an email address"),
        ({"name": " "}, "Enter the name your buyers know."),
        ({"delay": "never"}, "Choose one of the list."),
    ):
        answer = owner.send("/settings/business", **(fields | wrong))
        assert answer.status_code == 422
        assert words in answer.text


def test_the_audit_log_is_filtered_and_exported(owner: Person) -> None:
    make_key(owner, name="=cmd|' /C calc'!A1")
    page = owner.read("/settings/audit")
    assert "Key: created" in page
    assert "Tenant: opened" in page
    only = owner.read("/settings/audit?kind=key&who=priya")
    assert "Key: created" in only
    assert "Tenant: opened" not in only
    assert "No entry matches" in owner.read("/settings/audit?who=nobody%25")
    assert "Enter a day such as" in owner.read("/settings/audit?since=soon")
    tomorrow = (date.today() + timedelta(days=2)).isoformat()
    assert "No entry matches" in owner.read(f"/settings/audit?since={tomorrow}")
    assert owner.get("/settings/audit?after=x").status_code == 422
    answer = owner.get("/settings/audit.csv?kind=key")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows] == ["key.created"]


def test_the_audit_log_goes_on_over_pages(owner: Person) -> None:
    from tenants import audit

    with inside(tenant_of(owner)) as scope:
        for n in range(60):
            audit.record(scope, "test.entry", f"number {n}")
    first = owner.read("/settings/audit?kind=test")
    assert first.count("Test: entry") == 50
    older = re.search(r'href="([^"]*after=[^"]+)"', first)
    assert older
    second = owner.read(older[1].replace("&amp;", "&"))
    assert second.count("Test: entry") == 10


def test_another_merchants_rows_are_not_there(owner: Person, app: Any, inbox: Any) -> None:
    other = Person(app)
    other.sign_up(inbox)
    make_key(owner)
    granted = owner.send("/settings/providers/new", name="Dockside", where="*", scopes=["fulfillment:read"])
    with inside(tenant_of(owner)) as scope:
        key = credentials.listed(scope)[0].id
        member = scope.row("SELECT id FROM members WHERE tenant_id = :tenant").id
    assert other.get(granted.location).status_code == 404
    assert other.get(f"/settings/keys/{key}").status_code == 404
    assert other.get(f"/settings/team/{member}").status_code == 404
    for path in (
        f"/settings/keys/{key}/revocation",
        f"/settings/keys/{key}/rotation",
        f"{granted.location}/end",
        f"{granted.location}/keys",
        f"/settings/team/{member}/removal",
    ):
        answer = other.send(path, page="/account", overlap="0", name="x")
        assert answer.status_code == 404, path
    with inside(tenant_of(owner)) as scope:
        assert credentials.listed(scope)[0].revoked_at is None
        assert grants.listed(scope)[0].revoked_at is None
