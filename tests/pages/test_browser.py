"""The parts in a real browser: they fit, they can be read, and they work by keyboard."""

from __future__ import annotations

from itertools import product

import pytest
from playwright.sync_api import Page

from tests.browser import look, resize, wait_until
from tests.pages.sample import make_app

pytestmark = pytest.mark.browser

PAGES = {
    "home": "/home",
    "orders": "/orders?sandbox=1",
    "order": "/orders/K-10482",
    "new-order": "/orders/new",
    "states": "/states",
    "console": "/console",
    "delay": "/delay",
    "login": "/login",
    "error": "/gone",
}


@pytest.fixture
def address(serve) -> str:
    return serve(make_app())


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_and_can_be_read_in_every_size_and_theme(
    browser_page: Page, address: str, name: str
) -> None:
    browser_page.goto(address + PAGES[name])
    look(browser_page, name)


def test_the_theme_follows_the_system_until_chosen(browser_page: Page, address: str) -> None:
    theme = "document.documentElement.dataset.bsTheme"
    browser_page.emulate_media(color_scheme="dark")
    browser_page.goto(address + "/home")
    assert browser_page.evaluate(theme) == "dark"
    browser_page.click(".side [data-theme-switch]")
    assert browser_page.evaluate(theme) == "light"
    browser_page.reload()
    assert browser_page.evaluate(theme) == "light"
    assert browser_page.inner_text(".side [data-theme-name]") == "light"


def test_charts_are_drawn_again_in_the_new_themes_colors(browser_page: Page, address: str) -> None:
    first_bar = "Chart.getChart(document.querySelector('canvas')).data.datasets.at(-1).backgroundColor[0]"
    browser_page.goto(address + "/home")
    wait_until(browser_page, "Chart.getChart(document.querySelector('canvas'))")
    light = browser_page.evaluate(first_bar)
    browser_page.click(".side [data-theme-switch]")
    browser_page.click(".side [data-theme-switch]")
    assert browser_page.evaluate(first_bar) != light


def test_labels_of_pins_do_not_cover_each_other(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/home")
    wait_until(
        browser_page, "[...document.querySelectorAll('.pin-l')].every((label) => label.style.marginTop)"
    )
    boxes = [label.bounding_box() for label in browser_page.locator(".pin-l:visible").all()]
    assert len(boxes) == 6
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = (
                a["x"] + a["width"] <= b["x"] + 1
                or b["x"] + b["width"] <= a["x"] + 1
                or a["y"] + a["height"] <= b["y"] + 1
                or b["y"] + b["height"] <= a["y"] + 1
            )
            assert apart


CROWDED = """() => {
  const map = document.querySelector("[data-map]");
  map.querySelectorAll(".pin, .pin-l").forEach((one) => one.remove());
  const put = (left, top, name, minor) => {
    const at = `left:${left}%;top:${top}%`;
    const pin = `<span class="pin" style="${at};width:12px;height:12px" ${minor ? "data-minor" : ""}></span>`;
    const label = `<span class="pin-l${minor ? " off" : ""}" data-size="12" style="${at}">${name}</span>`;
    map.insertAdjacentHTML("beforeend", pin + label);
  };
  map.style.width = "402px";
  put(80, 71, "Savannah, buyer", false);
  put(76.4, 58.4, 'Asheville workshop<span class="n">Linen napkins</span>', false);
  put(72.8, 66.3, 'Northline Atlanta<span class="n">2 lines</span>', false);
  put(62.4, 62.7, "Memphis", true);
  put(68, 58, "Nashville", true);
  put(79.5, 59, "Charlotte", true);
  put(49.3, 72.2, "Dallas", true);
  put(47.5, 81.3, "Austin", true);
  document.dispatchEvent(new Event("htmx:after:swap"));
}"""


def test_the_name_of_a_chosen_place_covers_no_other_place(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders/K-10482")
    wait_until(browser_page, "document.fonts.status === 'loaded'")
    browser_page.evaluate(CROWDED)
    names = browser_page.locator(".pin-l:not(.off):visible").all()
    assert len(names) == 3
    pins = browser_page.locator(".pin[data-minor]").all()
    for name, box in product([each.bounding_box() for each in names], [pin.bounding_box() for pin in pins]):
        wide = min(name["x"] + name["width"], box["x"] + box["width"]) - max(name["x"], box["x"])
        high = min(name["y"] + name["height"], box["y"] + box["height"]) - max(name["y"], box["y"])
        assert min(wide, high) <= 5, "its rim at most"


def test_rows_are_picked_for_the_bulk_bar(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders")
    bar = browser_page.locator("[data-bulk]")
    assert bar.is_hidden()
    boxes = browser_page.locator("[data-select]")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert bar.inner_text().startswith("3 selected")
    assert browser_page.locator("tr[aria-selected=true]").count() == 3
    browser_page.click("[data-bulk-clear]")
    assert bar.is_hidden()
    browser_page.click("[data-select-all]")
    assert bar.inner_text().startswith("5 selected")
    with browser_page.expect_request("**/done") as sent:
        bar.get_by_role("button", name="Hold").click()
    assert sent.value.post_data.count("ids=K-") == 5
    assert "action=hold" in sent.value.post_data


def test_requests_by_htmx_carry_the_token_and_errors_go_to_their_region(
    browser_page: Page, address: str
) -> None:
    browser_page.goto(address + "/orders")
    browser_page.click("#post")
    wait_until(browser_page, "document.getElementById('answer').textContent === 'token-of-the-session'")
    browser_page.click("#fail")
    problem = browser_page.locator("#problems .banner")
    problem.wait_for()
    assert "This did not work" in problem.inner_text()
    assert browser_page.inner_text("#answer") == "token-of-the-session"


def test_a_lost_connection_is_told(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders")
    browser_page.route("**/echo", lambda route: route.abort())
    browser_page.click("#post")
    browser_page.locator("#problems", has_text="Kept could not be reached.").wait_for()


def test_menus_work_by_keyboard(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders")
    browser_page.locator(".chip.add").first.focus()
    browser_page.keyboard.press("Enter")
    browser_page.locator("[data-menu]:popover-open").wait_for()
    wait_until(browser_page, "document.activeElement.textContent.trim() === 'At risk'")
    browser_page.keyboard.press("ArrowDown")
    assert browser_page.evaluate("document.activeElement.textContent.trim()") == "Late"
    browser_page.keyboard.press("Escape")
    assert browser_page.locator("[data-menu]:popover-open").count() == 0
    assert browser_page.evaluate("document.activeElement.className") == "chip add"


def test_keys_lead_to_fields_and_are_listed(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders")
    browser_page.keyboard.press("/")
    assert browser_page.evaluate("document.activeElement.name") == "q"
    browser_page.keyboard.type("?")
    assert browser_page.input_value("[name=q]") == "?"
    browser_page.evaluate("document.activeElement.blur()")
    browser_page.keyboard.press("?")
    listed = browser_page.inner_text("#keys-dialog")
    assert "Search this list" in listed
    browser_page.keyboard.press("Escape")
    browser_page.goto(address + "/orders/new")
    browser_page.keyboard.press("Alt+1")
    assert browser_page.evaluate("document.activeElement.id") == "source"


def test_the_first_tab_skips_to_the_content(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/orders")
    browser_page.keyboard.press("Tab")
    assert browser_page.evaluate("document.activeElement.className") == "skip"
    browser_page.keyboard.press("Enter")
    assert browser_page.evaluate("document.activeElement.id") == "content"
    browser_page.keyboard.press("Tab")
    focused = "getComputedStyle(document.activeElement)"
    assert browser_page.evaluate(f"{focused}.outlineStyle") == "solid"
    assert browser_page.evaluate(f"{focused}.outlineWidth") == "2px"


def test_a_dialog_names_the_loss_and_can_be_left(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/states")
    browser_page.click("[data-dialog-open=cancel-line]")
    dialog = browser_page.locator("#cancel-line")
    assert dialog.is_visible()
    dialog.get_by_text("Keep it").click()
    assert dialog.is_hidden()


def test_focus_goes_to_the_first_field_in_error(browser_page: Page, address: str) -> None:
    browser_page.goto(address + "/states")
    assert browser_page.evaluate("document.activeElement.id") == "safety"


def test_a_toast_leaves_by_itself_but_not_while_focused(browser_page: Page, address: str) -> None:
    browser_page.clock.install()
    browser_page.goto(address + "/orders")
    browser_page.evaluate(
        """document.getElementById("toasts").innerHTML =
        '<div data-toast id="a"><button id="undo">Undo</button></div><div data-toast id="b">x</div>'"""
    )
    browser_page.focus("#undo")
    browser_page.clock.run_for(7000)
    assert browser_page.locator("#b").count() == 0
    assert browser_page.locator("#a").count() == 1


def test_the_phones_menu_is_a_sheet(browser_page: Page, address: str) -> None:
    resize(browser_page, "phone")
    browser_page.goto(address + "/orders")
    assert browser_page.locator(".side").is_hidden()
    browser_page.click("[aria-label='Open menu']")
    sheet = browser_page.locator("#menu-sheet")
    assert sheet.get_by_text("Network").is_visible()
    sheet.get_by_text("Home").click()
    browser_page.wait_for_url("**/home")
