"""The shells: navigation from data, the sandbox's band, errors, toasts, headers."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from jinja2 import UndefinedError

from app import pages
from app.pages import PageContext
from app.pages.security import CONTENT_POLICY

PAGES = [
    "/home",
    "/orders",
    "/orders/K-10482",
    "/orders/new",
    "/states",
    "/console",
    "/delay",
    "/login",
    "/gone",
]


def test_navigation_shows_what_exists_and_may_be_opened(client) -> None:
    page = client.get("/home").text
    side = page.split('class="side"')[1].split("</nav>")[0]
    labels = re.findall(r'<span class="lbl">([^<]+)</span>', side)
    assert labels == [
        "Home",
        "Orders",
        "New order",
        "Promises",
        "Inventory",
        "Network",
        "Routing",
        "Catalog",
        "Settings",
    ]
    assert ">47<" in side
    assert "Secret" not in page
    assert "Absent" not in page


@pytest.mark.parametrize(
    ("path", "label"),
    [("/home", "Home"), ("/orders", "Orders"), ("/orders/K-10482", "Orders"), ("/orders/new", "New order")],
)
def test_the_current_entry_is_marked(client, path: str, label: str) -> None:
    side = client.get(path).text.split('class="side"')[1].split("</nav>")[0]
    assert re.findall(r'title="([^"]+)" aria-current="page"', side) == [label]


def test_the_console_has_its_own_navigation(client) -> None:
    page = client.get("/console").text
    assert 'class="console"' in page
    assert re.findall(r'class="nav-a" href="[^"]+" title="([^"]+)"', page.split('class="side"')[1]) == [
        "Overview",
        "Tenants",
    ]


def test_the_sandbox_shows_its_band_and_clock(client) -> None:
    sandbox = client.get("/home?sandbox=1").text
    assert "Its clock stands at Thu, Nov 26, 2026, 9:05 AM." in sandbox
    assert 'data-env="sandbox"' in sandbox
    assert "sandbox-strip" not in client.get("/home").text


def test_names_are_escaped(client) -> None:
    assert "Alder &amp; Finch" in client.get("/home").text
    assert "Alder & Finch" not in client.get("/home").text


def test_before_log_in_no_menu_and_no_tenant(client) -> None:
    page = client.get("/login?anonymous=1").text
    assert 'class="side"' not in page
    assert "Alder" not in page


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_inline_scripts_or_styles(client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
    assert "'unsafe-inline'" not in CONTENT_POLICY.replace("style-src-attr 'unsafe-inline'", "")
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"<style|\son\w+=|javascript:", answer.text)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize("path", PAGES)
def test_every_post_form_carries_the_token(client, path: str) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', client.get(path).text, re.DOTALL):
        if path != "/delay":  # a buyer's signed link has no session
            assert 'name="csrf_token" value="token-of-the-session"' in form


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique_and_labels_point_at_fields(client, path: str) -> None:
    page = client.get(path).text
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'\s(?:for|popovertarget|data-dialog-open|aria-labelledby)="([^"]+)"', page)
    assert set(targets) <= set(ids)


def test_an_error_is_a_page_for_people(client) -> None:
    answer = client.get("/gone")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text
    assert "Go to Home" in answer.text
    failed = client.get("/fails")
    assert (failed.status_code, "7f3a-19c2" in failed.text, "Try again" in failed.text) == (500, True, True)


def test_an_error_to_htmx_is_a_banner_for_the_shells_region(client) -> None:
    answer = client.get("/fails", headers={"HX-Request": "true"})
    assert answer.status_code == 500
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#problems", "innerHTML")
    assert answer.text.lstrip().startswith('<div class="banner" data-s="late"')
    assert "<html" not in answer.text


def test_a_toast_is_shown_once(client) -> None:
    client.post("/done")
    with client.session_transaction() as session:
        session["_flashes"] = [
            ("toast", {"text": "<b>Held</b>", "undo_url": "/done", "link_url": "", "link_label": ""})
        ]
    page = client.get("/orders").text
    assert "&lt;b&gt;Held&lt;/b&gt;" in page
    assert 'action="/done"' in page
    assert "Held" not in client.get("/orders").text


def test_a_field_with_an_error_says_what_to_enter(client) -> None:
    page = client.get("/states").text
    field = re.search(r'<input[^>]*id="safety"[^>]*>', page).group()
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="safety-error"' in field
    assert 'value="-4"' in field
    assert 'inputmode="numeric"' in field
    assert re.search(r'id="safety-error">.*Use 0 or more', page, re.DOTALL)


def test_a_refused_button_gives_its_reason(client) -> None:
    button = re.search(
        r'<button[^>]*aria-disabled="true" title="Replay this draft first"', client.get("/states").text
    )
    assert button


def test_sorting_and_filters_live_in_the_address(client) -> None:
    page = client.get("/orders?q=vega&sort=-total&after=abc").text
    assert 'aria-sort="descending"><a href="/orders?q=vega&amp;sort=total">Total ↓</a>' in page
    assert 'href="/orders?q=vega&amp;sort=-customer"' in page
    assert 'href="/orders?q=vega&amp;sort=-total&amp;after=abc&amp;view=risk"' in page
    assert '<input type="hidden" name="sort" value="-total">' in page


def test_a_chart_is_drawn_from_data_and_told_in_a_table(client) -> None:
    page = client.get("/home").text
    assert "&#34;kind&#34;:&#34;stacked&#34;" in page
    assert 'aria-label="Stacked columns of orders per hour' in page
    assert re.search(r"Show as table.*<td>12a</td><td class=\"num\">62</td>", page, re.DOTALL)
    assert "<b>1,053</b>" in page


def test_the_strip_says_its_figures(client) -> None:
    assert (
        'aria-label="Of 1,268 promises, 1,041 kept, 180 due, 38 at risk, 9 late"' in client.get("/home").text
    )


def test_flask_must_not_serve_static_files_itself() -> None:
    with pytest.raises(RuntimeError, match="static_folder=None"):
        pages.register(Flask("other", static_folder="static"))


def test_without_a_provider_pages_have_plain_defaults() -> None:
    app = Flask("plain", static_folder=None)
    pages.register(app)
    with app.test_request_context("/"):
        assert pages.current_page() == PageContext()


def test_an_unknown_part_is_an_error_not_nothing(app) -> None:
    with app.test_request_context("/"), pytest.raises(UndefinedError, match="no attribute 'stat'"):
        app.jinja_env.from_string("{{ ui.stat('kept') }}").render()
