"""The door in a real browser: from a stranger to a key that works, and every page in every size and theme."""

from __future__ import annotations

import dataclasses
import json
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from infra import settings as settings_module
from infra.settings import Settings
from tests.accounts.conftest import PASSWORD, Person, link
from tests.accounts.test_settings import make_key
from tests.accounts.test_web import tenant_of
from tests.browser import THEMES, faults
from tests.outside import Inbox
from workers.runner import drain

pytestmark = pytest.mark.browser


@pytest.fixture
def address(app: Flask, in_force: Settings, serve: Callable[[Flask], str]) -> Iterator[str]:
    """The portal's address, also in its mails."""
    found = serve(app)
    settings_module.use(dataclasses.replace(in_force, public_url=found))
    yield found
    settings_module.use(in_force)


def look(page: Page, name: str) -> None:
    """The page fits, can be read and is named, in every size and theme."""
    found = []
    for theme in THEMES:
        # By the system's setting: a reload would send a form again.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += faults(page, f"door-{name}-{theme}")
    page.emulate_media(color_scheme="light")
    assert found == []


def test_from_a_stranger_to_a_key_that_works(browser_page: Page, address: str, inbox: Inbox) -> None:
    page, email = browser_page, f"{Person.__name__.lower()}-{id(browser_page)}@shop.example"
    page.goto(f"{address}/")
    page.get_by_role("link", name="Sign up").click()
    look(page, "sign-up")
    page.get_by_label("Your name").fill("Priya Raman")
    page.get_by_label("Business name").fill("Alder & Finch")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill("too short")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Business name")).to_have_value("Alder & Finch")
    look(page, "sign-up-fault")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    look(page, "sent")

    page.goto(address + link(inbox, email, "/verify/"))
    look(page, "verify")
    page.get_by_role("button", name="Confirm and open").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    look(page, "first-steps")

    page.get_by_role("link", name="Make a key").first.click()
    page.get_by_role("link", name="Make a key").first.click()
    page.get_by_label("Name", exact=True).fill("Web shop")
    page.get_by_label("Orders, read").check()
    look(page, "new-key")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("Copy it now.")).to_be_visible()
    look(page, "shown-once")
    key = page.get_by_role("button", name="Copy the key").get_attribute("data-copy")
    request = urllib.request.Request(f"{address}/v1/orders", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"data": [], "next": None}

    page.goto(f"{address}/onboarding")
    done = page.locator("li[data-done]").filter(has_text="Connect a channel")
    expect(done).to_be_visible()
    page.get_by_role("button", name="Priya Raman").first.click()
    page.get_by_role("button", name="Log out").first.click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    look(page, "log-in")


@pytest.fixture
def busy_owner(owner: Person, app: Flask, inbox: Inbox) -> Person:
    """An owner with something on every page of Settings."""
    make_key(owner, name="Web shop")
    make_key(owner, name="Telephone system", expires="2199-01-01")
    owner.send("/settings/clients/new", name="Bookkeeping", scopes=["orders:read"])
    owner.send("/settings/providers/new", name="Dockside Fulfillment", where="*", scopes=["fulfillment:read"])
    for email, role in (
        ("dana@shop.example", "agent"),
        ("tom.a.long.name.at.the.warehouse@shop.example", "picker"),
    ):
        owner.send("/settings/team/invitations", page="/settings/team", email=email, role=role)
    drain(tenant_of(owner))
    return owner


def test_settings_in_every_size_and_theme(browser_page: Page, address: str, busy_owner: Person) -> None:
    page = browser_page
    page.goto(f"{address}/log-in?next=/settings/business")
    page.get_by_label("Email").fill(busy_owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    for name in ("business", "team", "keys", "providers", "audit", "providers/new"):
        page.goto(f"{address}/settings/{name}")
        look(page, f"settings-{name.replace('/', '-')}")
    for start, name in (("keys", "Web shop"), ("providers", "Dockside Fulfillment"), ("team", "Priya Raman")):
        page.goto(f"{address}/settings/{start}")
        with page.expect_navigation():
            page.locator("main").get_by_role("link", name=name).click()
        look(page, f"settings-one-of-{start}")
    for name in ("account", "tenants"):
        page.goto(f"{address}/{name}")
        look(page, name)
    page.goto(f"{address}/console/log-in")
    look(page, "console-log-in")
