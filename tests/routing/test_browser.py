"""The rule editor in a real browser: a rule set from a template, chips, a basket tried, saved, published, obeyed."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.browser import (
    SIZES,
    THEMES,
    Held,
    contrast_faults,
    follow,
    nameless,
    overflow,
    resize,
    set_theme,
    wait_until,
)
from tests.factories import Merchant
from tests.portal import member

pytestmark = pytest.mark.browser

SENTENCES = "[...document.querySelectorAll('[data-rules=rule] .say')].map((say) => say.innerText.replace(/\\s+/g, ' '))"

WRONG = "document.querySelector('#rules-live').innerText.includes('a correction')"


@pytest.fixture
def shop(merchant: Merchant) -> str:
    """A lamp at a near store, and more of it at a far warehouse."""
    sku = merchant.sku("LAMP", title="Lamp")
    merchant.stock(merchant.node("NEAR", "83702", "ID", name="Boise store", kind="store"), sku, 2)
    merchant.stock(merchant.node("FAR", "33101", "FL", name="Miami"), sku, 9)
    return sku


@pytest.fixture
def editor(app: Flask, merchant: Merchant, shop: str, serve, browser_page: Page) -> Page:
    """The editor, open in a browser."""
    address = serve(app)
    member(app, merchant.tenant_id).enter(browser_page, address)
    browser_page.goto(f"{address}/routing/edit")
    return browser_page


def sentence(page: Page, said: str) -> None:
    """Wait until a rule's sentence says so."""
    wait_until(page, f"{SENTENCES}.some((each) => each.includes({said!r}))")


def chip(page: Page, words: str) -> None:
    """Open the fields behind a word of a rule."""
    page.locator("[data-rules=rule] .chip", has_text=words).first.click()


def test_a_rule_set_from_a_template_is_edited_tried_saved_published_and_obeyed(
    editor: Page, merchant: Merchant, shop: str
):
    page = editor
    assert merchant.order((shop, 1))["fulfillment_orders"][0]["node"] == "NEAR"
    page.get_by_role("button", name="Start from").click()
    page.get_by_role("link", name="One warehouse").click()
    page.wait_for_url("**template=one-warehouse**")
    sentence(page, "For every order : use only warehouses")

    page.fill("[name=try-lines]", "LAMP")
    page.evaluate("document.querySelector('[name=try-zip]').dataset.stale = 1")
    page.locator("[name=try-lines]").blur()
    wait_until(page, "!document.querySelector('[name=try-zip]').dataset.stale")  # the answer stands
    page.fill("[name=try-zip]", "83702")
    page.locator("[name=try-zip]").blur()
    wait_until(page, "document.querySelector('#trial-answer')?.innerText.includes('Ships from Miami')")

    chip(page, "use only warehouses")
    page.fill("[name='0-0-value']", "stores")
    page.keyboard.press("Enter")
    sentence(page, "use only stores")
    wait_until(page, "document.querySelector('#trial-answer')?.innerText.includes('Ships from Boise store')")

    chip(page, "use only stores")
    page.fill("[name='0-0-value']", "Warehouses")
    page.locator(".pop:popover-open [data-pop-done]").click()
    sentence(page, "use only warehouses")

    chip(page, "the fewest packages")
    page.select_option("[name='0-objective']", "lexicographic")
    sentence(page, "the fewest packages, then the least distance")
    page.fill("[name='0-t1-figure']", "5")
    page.keyboard.press("Enter")
    sentence(page, "(give or take 5%)")
    chip(page, "the fewest packages")
    page.select_option("[name='0-objective']", "fewest_packages_then_nearest")
    sentence(page, "the fewest packages, then the nearest")
    page.keyboard.press("Escape")

    page.fill("[name=note]", "Stores keep their shelf")
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/routing?version=2")
    assert "v2 differs from v1" in page.inner_text("main")

    follow(page, "Compare on past orders")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("You may leave this page and come back").wait_for()
    page.get_by_role("button", name="Stop").focus()
    page.evaluate("document.querySelector('#what-if').dataset.stale = 1")
    wait_until(page, "!document.querySelector('#what-if').dataset.stale")  # it was read again
    assert page.evaluate("document.activeElement.innerText") == "Stop"
    follow(page, "the list")
    assert "0 of 1" in page.inner_text("#tried")
    merchant.drain()
    page.locator("#tried").get_by_text("Done").wait_for()  # the list looks again by itself
    follow(page, "v2")
    told = page.inner_text("main")
    assert "Orders that go otherwise" in told
    assert "Where the difference in cost comes from" in told
    assert page.locator(".bars").count() == 2
    follow(page, "What both say")

    page.get_by_role("button", name="Publish v2").click()
    confirm = page.locator("#publish")
    assert "New orders are routed by it at once" in confirm.inner_text()
    confirm.get_by_role("button", name="Publish v2").click()
    page.wait_for_url("**/routing")
    assert merchant.order((shop, 1))["fulfillment_orders"][0]["node"] == "FAR"

    follow(page, "Versions")
    page.get_by_role("button", name="Roll back").click()
    page.locator("[popover]:popover-open").get_by_role("button", name="Roll back to v1").click()
    page.wait_for_url("**/routing")
    assert merchant.order((shop, 1))["fulfillment_orders"][0]["node"] == "NEAR"


def test_what_is_typed_while_an_answer_arrives_is_tried_when_the_field_is_left(editor: Page):
    page = editor
    held = Held(page, "**/routing/edit")
    page.fill("[name=try-lines]", "LAMP")
    page.fill("[name=try-zip]", "83702")
    held.wait()  # the basket without its ZIP
    with page.expect_response("**/routing/edit"):
        held.let_go()
    page.wait_for_timeout(500)
    assert page.input_value("[name=try-zip]") == "83702"
    page.locator("[name=try-zip]").blur()
    wait_until(page, "document.querySelector('#trial-answer')?.innerText.includes('Ships from Boise store')")


def add_rule_for_phone(page: Page) -> None:
    page.get_by_role("button", name="Add rule").click()
    wait_until(page, "document.querySelector('#p-0-when')?.matches(':popover-open')")
    page.check("#p-0-when [value=phone]")
    page.keyboard.press("Escape")
    sentence(page, "When the channel is phone")


def test_rules_move_by_keys_and_say_where_they_are(editor: Page):
    page = editor
    add_rule_for_phone(page)
    page.get_by_role("button", name="Move rule 1").focus()
    page.keyboard.press("ArrowDown")
    assert page.inner_text("[data-rules-said]") == "Rule 2 of 2."
    page.keyboard.press("Tab")
    wait_until(page, "document.querySelector('#rules-live').innerText.includes('need a correction')")
    page.get_by_role("button", name="Move rule 2").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    sentence(page, "When the channel is phone")
    wait_until(page, "!document.querySelector('#rules-live').innerText.includes('correction')")


def test_a_word_opened_while_its_rule_is_moved_stays_that_rules_word(editor: Page):
    page = editor
    add_rule_for_phone(page)
    held = Held(page, "**/routing/edit")
    page.get_by_role("button", name="Move rule 1").focus()
    page.keyboard.press("ArrowDown")
    page.locator(".chip", has_text="the channel is phone").first.focus()
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelector('#p-0-when').matches(':popover-open')")
    held.wait()  # the rules in their new order
    with page.expect_response("**/routing/edit"):
        held.let_go()
    wait_until(page, "document.querySelector('#p-1-when').matches(':popover-open')")
    assert page.is_checked("#p-1-when [value=phone]")
    assert page.evaluate("document.activeElement.closest('.pop').id") == "p-1-when"


def test_by_keys_one_is_back_at_the_word_after_its_fields_were_shown_anew(editor: Page):
    page, back = editor, "document.activeElement.getAttribute('popovertarget') === 'p-0-objective'"
    opened = "document.querySelector('#p-0-objective').matches(':popover-open')"
    page.locator("[data-rules=rule] .chip", has_text="the fewest packages").focus()
    page.keyboard.press("Enter")
    page.select_option("[name='0-objective']", "lexicographic")
    sentence(page, "the fewest packages, then the least distance")
    wait_until(page, opened)
    page.keyboard.press("Escape")
    wait_until(page, f"!{opened} && {back}")
    page.keyboard.press("Enter")
    wait_until(page, opened)
    page.fill("[name='0-t1-figure']", "5")
    page.keyboard.press("Enter")
    sentence(page, "(give or take 5%)")
    wait_until(page, back)


def test_what_is_entered_at_once_when_fields_open_is_shown_when_they_close(editor: Page):
    page = editor
    page.evaluate(
        """() => {
          document.querySelector("[data-rules=rule] .chip[popovertarget=p-0-objective]").click();
          document.querySelector("[name='0-objective']").value = "lexicographic";
        }"""
    )
    page.locator("[name='0-objective']").focus()
    page.keyboard.press("Escape")
    sentence(page, "the fewest packages, then the least distance")


def test_what_is_entered_while_an_answer_arrives_is_not_taken_back(editor: Page):
    page = editor
    chip(page, "the fewest packages")
    page.select_option("[name='0-objective']", "lexicographic")
    sentence(page, "the fewest packages, then the least distance")
    held = Held(page, "**/routing/edit")
    page.select_option("[name='0-t1-term']", "transit_days")
    held.wait()  # the figure without its tolerance
    page.fill("[name='0-t1-figure']", "5")
    page.locator("[name='0-t0-figure']").focus()
    held.let_go()
    sentence(page, "(give or take 5%)")
    assert page.input_value("[name='0-t1-figure']") == "5"


def test_what_is_added_from_the_menu_closes_it_and_one_is_at_the_new_word(editor: Page):
    page = editor
    page.get_by_role("button", name="More for rule 1").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Limit packages").focus()
    page.keyboard.press("Enter")
    wait_until(page, "document.activeElement.name === '0-packages'")
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    wait_until(page, WRONG)
    at_word = "document.activeElement.matches('.chip[popovertarget=p-0-split]')"
    wait_until(page, f"{at_word} && !document.querySelector(':popover-open')")
    assert "Enter a whole number from 1 to 100, or nothing for no limit." in page.inner_text(
        "[data-rules=rule]"
    )
    left = "(said) => document.querySelector(said).getBoundingClientRect().left"
    assert page.evaluate(left, "#rules-live") == page.evaluate(left, "#rules-form .head")
    page.keyboard.press("Enter")
    wait_until(page, "document.activeElement.name === '0-packages'")
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    sentence(page, "in at most two packages")
    wait_until(page, at_word)


def test_arrow_keys_walk_through_a_list_without_losing_their_place(editor: Page):
    page, chosen = editor, "document.activeElement.selectedOptions?.[0]?.text"
    page.get_by_role("button", name="Add line route").click()
    wait_until(page, "document.activeElement.name === 'r0-w0-choice'")
    away = page.evaluate(
        "[...document.activeElement.options].findIndex((one) => one.text === 'The hazard is known')"
    )
    for _ in range(away):  # as fast as a key that is held
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(40)
    assert page.evaluate(chosen) == "The hazard is known"
    shown = "document.querySelector('[data-rules=route] .say').innerText.includes('entries')"
    wait_until(page, f"!{shown} && {chosen} === 'The hazard is known'")


def test_a_choice_that_shows_fields_anew_keeps_the_focus(editor: Page):
    page = editor
    page.locator("[popovertarget=p-0-when]").first.click()
    choice = page.locator("#p-0-when select[name$='-choice']").first
    name = choice.get_attribute("name")
    choice.focus()
    fields = "[...document.querySelectorAll('#p-0-when :is(input, select)')].map((one) => one.name).join()"
    before = page.evaluate(fields)
    page.keyboard.press("ArrowDown")
    wait_until(page, f"{fields} !== {json.dumps(before)} && document.querySelector('#p-0-when:popover-open')")
    page.wait_for_timeout(200)  # what opens takes the focus a moment later
    assert page.evaluate("document.activeElement.name") == name


def test_leaving_with_what_is_not_saved_is_asked_first(editor: Page):
    page, asked = editor, []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.fill("[name=note]", "Stores keep their shelf")
    page.get_by_role("link", name="Leave").click(no_wait_after=True)
    wait_until(page, f"location.pathname === '/routing/edit' && {SENTENCES}.length === 1")
    assert asked == ["beforeunload"]
    assert page.input_value("[name=note]") == "Stores keep their shelf"
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/routing?version=2")
    page.get_by_role("link", name="Edit rules").click()
    page.get_by_role("link", name="Leave").click()
    page.wait_for_url("**/routing")
    assert asked == ["beforeunload"]


def rules_of(page: Page) -> list[str]:
    return [" ".join(said.split()) for said in page.locator("[data-rules=rule] .say").all_inner_texts()]


def undo(page: Page, then: str) -> None:
    """Undo once, and wait until it is so."""
    page.get_by_role("button", name="Undo").click()
    wait_until(page, then.replace("WRONG", WRONG))


def test_every_change_can_be_undone_and_a_fault_stands_at_its_word(editor: Page):
    page = editor
    first = rules_of(page)
    assert page.locator("[data-rules-undo]").is_hidden()
    page.get_by_role("button", name="Add rule").click()
    wait_until(page, "document.querySelector('#p-0-when')?.matches(':popover-open')")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Check").click()
    # without channels nothing below it is reached: the fault stands at the word
    page.locator("[data-rules=rule] .chip[data-wrong]").first.click()
    page.check("#p-0-when [value=phone]")
    page.keyboard.press("Escape")
    sentence(page, "When the channel is phone")
    assert page.locator("[data-rules=rule] .chip[data-wrong]").count() == 0
    with_rule = rules_of(page)

    page.get_by_role("button", name="More for rule 1").click()
    page.get_by_role("button", name="Remove rule 1").click()
    wait_until(page, f"{SENTENCES}.length === 1")
    page.get_by_role("button", name="Undo").wait_for()
    page.keyboard.press("Control+z")
    wait_until(page, f"{SENTENCES}.length === 2")
    assert rules_of(page) == with_rule
    page.get_by_role("button", name="Move rule 1").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    wait_until(page, WRONG)
    undo(page, "!WRONG")
    assert rules_of(page) == with_rule
    handle, other = (page.get_by_role("button", name=f"Move rule {at}") for at in (1, 2))
    handle.drag_to(other)
    wait_until(page, WRONG)
    undo(page, "!WRONG")
    assert rules_of(page) == with_rule
    undo(page, "WRONG")
    undo(page, f"{SENTENCES}.length === 1")
    assert rules_of(page) == first
    assert page.locator("[data-rules-undo]").is_hidden()


def test_the_editor_fits_and_can_be_read_at_every_size_in_both_themes(editor: Page):
    page, address = editor, editor.url.partition("/routing")[0]
    faults: list[str] = []
    for path in (
        "/routing/edit?template=ship-from-store",
        "/routing/edit?template=marketplace-share",
        "/routing",
    ):
        page.goto(address + path)
        for size in SIZES:
            resize(page, size)
            for theme in THEMES:
                set_theme(page, theme)
                opened = page.locator(".say .chip").first
                if "edit" in path:
                    opened.click()
                if wide := overflow(page):
                    faults.append(f"{path} {size}: {wide} px too wide")
                faults += [f"{path} {size} {theme}: {fault}" for fault in contrast_faults(page)]
                faults += [f"{path} {size}: no name: {one}" for one in nameless(page)]
                page.keyboard.press("Escape")
    assert faults == []
