"""Settings, Notices; the print queue; replies under Exceptions."""

from __future__ import annotations

import html
from typing import Any

import pytest
from flask import Flask

from app.calendar import local_date
from app.notices import templates
from app.notices.compose import own_wording
from infra.settings import Settings
from tenants.scope import inside
from tests.notices.test_delivery import fetch, late, notice, promise, settings
from tests.outside import Inbox
from tests.portal import Desk, member
from tests.shop import Shop

DELAY = "/settings/notices/delay/en"


@pytest.fixture
def desk(app: Flask, shop: Shop) -> Desk:
    return member(app, shop.tenant_id)


def edit(desk: Desk, do: str, address: str = DELAY, **changes: str) -> Any:
    own = own_wording(*address.split("/")[-2:])
    fields = {"subject": own.subject, "body": own.body, "sms": own.sms, "version": "0"} | changes
    return desk.post(address, address, do=do, **fields)


def stored(shop: Shop) -> dict[str, Any]:
    with inside(shop.tenant_id) as scope:
        return dict(scope.tenant.settings)


def test_ways_quiet_hours_and_addresses_are_saved_and_refused(desk: Desk, shop: Shop) -> None:
    form = {"way0": "post", "way1": "email", "way2": "none", "way3": "none", "begins": "22", "ends": "7"}
    page = desk.post("/settings/notices", "/settings/notices", **form).text
    assert "Letters need your own postal address" in page
    form["address"] = "120 Foundry Lane\nPortland, ME 04101"
    assert desk.post("/settings/notices", "/settings/notices", **form | {"way1": "post"}).status_code == 422
    assert "notices" not in stored(shop)
    answer = desk.post("/settings/notices", "/settings/notices", **form)
    assert answer.status_code == 303, answer.text
    found = stored(shop)
    assert found["notices"]["channels"] == ["post", "email"]
    assert found["notices"]["quiet"] == {"begins": 22, "ends": 7, "courtesy": False}
    assert found["contact"]["address"] == ["120 Foundry Lane", "Portland, ME 04101"]
    assert "120 Foundry Lane" in desk.read("/settings/notices")


def test_a_wording_is_previewed_kept_put_in_force_and_taken_back(
    desk: Desk, shop: Shop, inbox: Inbox
) -> None:
    settings(shop)
    assert "you will be taken to have agreed" in html.unescape(desk.read(DELAY))
    own = own_wording("delay", "en")
    warmer = own.body.replace("we are sorry.", "we are truly sorry.")
    assert "truly sorry" in edit(desk, "preview", body=warmer).text
    assert edit(desk, "keep", body=warmer).location.endswith("?version=1")
    assert edit(desk, "keep", body=warmer).location.endswith("?version=1"), "the same again is no new version"
    late(shop, "before@pages.example")
    shop.merchant.drain()
    assert "truly" not in inbox.to("before@pages.example")[-1].text, "kept is not in force"
    assert edit(desk, "use", version="1").status_code == 303
    _, notice_id = late(shop, "after@pages.example")
    shop.merchant.drain()
    assert "truly sorry" in inbox.to("after@pages.example")[-1].text
    assert notice(shop, notice_id).template_version == 1
    assert edit(desk, "use", version="0").status_code == 303
    assert stored(shop)["notices"]["templates"] == {}
    assert desk.client.get(f"{DELAY}/letter.pdf?version=1").data.startswith(b"%PDF-")


def test_a_wording_that_drops_the_law_is_refused_naming_what_it_lacks(desk: Desk, shop: Shop) -> None:
    body = own_wording("delay", "en").body.replace("{{ silence }}", "")
    answer = edit(desk, "keep", body=body)
    assert answer.status_code == 422
    assert "The message lacks: meaning of silence (a date within 30 days)" in html.unescape(answer.text)
    attack = edit(desk, "keep", body="{{ buyer.__class__ }}")
    assert attack.status_code == 422
    assert "what lies inside a value cannot be used here" in html.unescape(attack.text)
    with inside(shop.tenant_id) as scope:
        assert templates.versions(scope, "delay", "en") == []
    assert edit(desk, "use", version="7").status_code == 404


def test_a_wording_that_lacks_something_for_real_facts_gives_way_to_kepts(shop: Shop) -> None:
    """A version kept under other rules is in force; the buyer gets what is owed all the same."""
    with inside(shop.tenant_id) as scope:
        scope.execute(
            "INSERT INTO notice_templates (tenant_id, id, kind, language, version, subject, body, sms, created_at,"
            " created_by) VALUES (:tenant, gen_random_uuid(), 'delay', 'en', 1, 'Late', 'Sorry.', 'Late', now(), 'x')"
        )
    settings(shop, templates={"delay.en": 1})
    _, notice_id = late(shop, "owed@pages.example")
    found = notice(shop, notice_id)
    assert (found.template_version, found.state) == (0, "queued")
    assert found.facts["words"]["silence"] in found.body_text


def test_a_sample_goes_to_whoever_asks(desk: Desk, shop: Shop, inbox: Inbox) -> None:
    page = desk.read(DELAY)
    address = page.split("It goes to ")[1].split(".<")[0]
    assert edit(desk, "test").status_code == 303
    shop.merchant.drain()
    assert inbox.to(address)[-1].subject.startswith("[Sample] Your choice")


def test_one_who_may_only_look_changes_nothing(app: Flask, shop: Shop) -> None:
    reader = member(app, shop.tenant_id, role="analyst")
    assert "Keep as a new version" not in reader.read(DELAY)
    assert edit(reader, "keep").status_code == 403
    assert "notices" not in stored(shop)


def test_another_tenants_wordings_are_not_there(
    app: Flask, shop: Shop, desk: Desk, other_merchant: Any
) -> None:
    body = own_wording("delay", "en").body + "\nOurs.\n"
    edit(desk, "keep", body=body)
    stranger = member(app, other_merchant.tenant_id)
    assert stranger.client.get(f"{DELAY}?version=1").status_code == 404
    assert "Ours." not in stranger.read(DELAY)


def test_letters_are_picked_dated_and_marked(desk: Desk, shop: Shop) -> None:
    settings(shop, channels=["post"])
    order, notice_id = late(shop, "paper@pages.example")
    shop.merchant.drain()
    assert order["number"] in desk.read("/letters")
    assert desk.client.get("/letters.pdf").mimetype == "application/pdf"
    assert "Pick the letters" in desk.post("/letters", "/letters", day="2026-11-30").text
    assert desk.post("/letters", "/letters", ids=str(notice_id), day="soon").status_code == 422
    assert desk.post("/letters", "/letters", ids=str(notice_id), day="2199-01-01").status_code == 422
    assert notice(shop, notice_id).state == "queued"
    with inside(shop.tenant_id) as scope:
        today = local_date(scope.now(), scope.tenant.timezone).isoformat()
    assert desk.post("/letters", "/letters", ids=str(notice_id), day=today).status_code == 303
    assert notice(shop, notice_id).state == "sent"
    assert "Letter to Marisol Vega" in desk.read(f"/orders/{order['id']}?tab=messages")


def test_a_person_says_what_a_reply_means(desk: Desk, shop: Shop, inbox: Inbox, in_force: Settings) -> None:
    settings(shop)
    order, _ = late(shop, "person@pages.example")
    shop.merchant.drain()
    inbox.answer("person@pages.example", "Well, I suppose so. <b>Go on</b>")
    fetch(shop, in_force)
    page = desk.read("/exceptions")
    assert "Well, I suppose so. &lt;b&gt;Go on&lt;/b&gt;" in page
    with inside(shop.tenant_id) as scope:
        (mail,) = scope.rows("SELECT id FROM received_mails WHERE tenant_id = :tenant")
    address = f"/exceptions/replies/{mail.id}"
    assert desk.post(address, "/exceptions", decision="consent").status_code == 303
    shop.merchant.drain()
    assert promise(shop, order) == "consent_definite"
    assert "I suppose so" not in desk.read("/exceptions")
    again = desk.post(address, "/exceptions", decision="cancel")
    assert again.status_code == 409
    assert "Somebody has dealt with this reply already." in again.text
    assert promise(shop, order) == "consent_definite"


def test_a_message_that_reached_nobody_is_shown_to_a_person(desk: Desk, shop: Shop) -> None:
    settings(shop)
    order, notice_id = late(shop, "reject@pages.example", phone="")
    shop.merchant.drain()
    assert "No such mailbox here" in desk.read("/exceptions")
    assert "Delay notice not delivered" in desk.read(f"/orders/{order['id']}?tab=messages")
    assert notice(shop, notice_id).bounced_at is not None
