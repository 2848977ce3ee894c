"""Driving pages in headless Chromium: one browser for a test process, a fresh page for each test.

Fixtures `browser_page` and `serve`, for tests that are marked `browser`. Without a Chromium on the machine such tests
are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Route, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SIZES = {"desk": (1440, 900), "laptop": (1024, 768), "phone": (390, 844)}
"""The three widths every page is looked at in."""

THEMES = ("light", "dark")

_running: list[tuple[Playwright, Browser]] = []


def chromium(config: pytest.Config) -> Browser:
    """This process's browser, started when first asked for, closed at its end. Skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package `chromium` to run browser tests")
    if not _running:
        playwright = sync_playwright().start()
        _running.append((playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)))
        config.add_cleanup(_close)
    return _running[0][1]


def _close() -> None:
    playwright, browser = _running.pop()
    browser.close()
    playwright.stop()


@pytest.fixture
def browser_page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page of 1440 x 900 in a context of its own; fails the test when a script or the policy complained."""
    width, height = SIZES["desk"]
    context = chromium(request.config).new_context(
        viewport={"width": width, "height": height}, locale="en-US"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    yield page
    context.close()
    assert not complaints, f"the browser complained: {complaints}"


EXPECTED = ("Failed to load resource:", "htmx: htmx:error: Failed to fetch")
"""An answer of 4xx or 5xx and a lost connection are told on the page; what it shows is the test's business."""


def _complaint(message: ConsoleMessage) -> list[str]:
    """Errors of scripts and of the content policy."""
    return [message.text] if message.type == "error" and not message.text.startswith(EXPECTED) else []


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serve an app on a free port for the length of the test; gives its address."""
    servers = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.shutdown()


def wait_until(page: Page, expression: str, seconds: float = 20) -> None:
    """Wait until an expression of the page is true; `page.wait_for_function` is stopped by our content policy.

    Raises AssertionError naming the expression when it stays false.
    """
    end = time.monotonic() + seconds
    while not _is_so(page, expression):
        if time.monotonic() > end:
            assert page.evaluate(expression), f"still false after {seconds} s: {expression}"
        page.wait_for_timeout(20)


def _is_so(page: Page, expression: str) -> bool:
    """Whether it is true by now. A page that another is taking the place of has no body, or goes as it is asked."""
    try:
        return bool(page.evaluate(expression))
    except Error:
        return False


class Held:
    """The first request to an address, kept back until it is let go; those after it go on at once."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._first = page, list[Route]()
        page.route(address, self._on_request)

    def wait(self, seconds: float = 20) -> None:
        """Wait until it is asked. Raises AssertionError when it is not."""
        end = time.monotonic() + seconds
        while not self._first:
            assert time.monotonic() < end, f"not asked within {seconds} s"
            self._page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Let it be answered."""
        self._first[0].continue_()

    def _on_request(self, route: Route) -> None:
        if self._first:
            route.continue_()
        else:
            self._first.append(route)


def follow(page: Page, link: str) -> None:
    """Click the link of exactly this name and wait until the page behind it is loaded whole."""
    with page.expect_navigation():
        page.get_by_role("link", name=link, exact=True).click()


def resize(page: Page, size: str) -> None:
    """Make the window "desk", "laptop" or "phone"."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})


def set_theme(page: Page, theme: str) -> None:
    """Choose "light" or "dark" as a person would have: remembered, then loaded again."""
    if chosen(page) != theme:
        page.evaluate("theme => localStorage.setItem('kept-theme', theme)", theme)
        page.reload()


def chosen(page: Page) -> str | None:
    """The theme a person chose before, "light" or "dark"."""
    return page.evaluate("localStorage.getItem('kept-theme')")


def screenshot(page: Page, name: str) -> None:
    """A picture of the whole page for a person to look at, in the folder $KEPT_SCREENSHOTS where that is set."""
    if "KEPT_SCREENSHOTS" not in os.environ:
        return
    wait_until(page, "document.fonts.status === 'loaded'")
    window = page.viewport_size
    height = page.evaluate("() => { scrollTo(0, 0); return document.documentElement.scrollHeight; }")
    page.set_viewport_size({"width": window["width"], "height": max(height, window["height"])})
    page.screenshot(path=Path(os.environ["KEPT_SCREENSHOTS"]) / f"{name}.png")
    page.set_viewport_size(window)


OVERFLOW = """async () => {
  const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  for (let frame = 0; wide() && frame < 30; frame += 1) await new Promise(requestAnimationFrame);
  return wide();
}"""


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window: 0 on a page that fits, once its charts follow the window."""
    return page.evaluate(OVERFLOW)


CONTRAST = """() => {
  const channel = (value) => { const c = value / 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (color) => known.get(color) ?? read(color);
  const read = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    known.set(color, [r, g, b, a / 255]);
    return known.get(color);
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const layer = rgba(getComputedStyle(at).backgroundColor);
      if (layer[3] > 0) layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const faults = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const words = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
    if (!words || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest("script, style, option, .sr, .skip, [disabled]")) continue;
    const style = getComputedStyle(element), under = ground(element), ink = over(rgba(style.color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faults.push(`${words.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return faults;
}"""


def contrast_faults(page: Page) -> list[str]:
    """Texts on the page below WCAG 2.2 AA contrast (1.4.3: 4.5:1, large text 3:1), with their ratio."""
    return page.evaluate(CONTRAST)


NAMELESS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.getAttribute("aria-label") || element.textContent.trim() || element.title
    || [...(element.labels ?? [])].some((label) => label.textContent.trim())))
  .map((element) => element.outerHTML.slice(0, 120))"""


def nameless(page: Page) -> list[str]:
    """Links, buttons and fields that a screen reader could not name."""
    return page.evaluate(NAMELESS)


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands, in every width: too wide, hard to read, nameless. With pictures."""
    found = []
    for size in SIZES:
        resize(page, size)
        screenshot(page, f"{name}-{size}")
        if wide := overflow(page):
            found.append(f"{name}: {wide} px too wide at {size}")
        found += [f"{name} at {size}: {fault}" for fault in contrast_faults(page)]
        found += [f"{name} at {size}: no name for {each}" for each in nameless(page)]
    resize(page, "desk")
    return found


def look(page: Page, name: str) -> None:
    """Assert that the page, loaded in each theme, fits, can be read, and that all on it has a name."""
    found = []
    for theme in sorted(THEMES, key=lambda theme: theme != chosen(page)):
        set_theme(page, theme)
        wait_until(page, "!document.querySelector('[hx-trigger=load] [aria-busy]')")
        found += faults(page, f"{name}-{theme}")
    assert found == [], found


def visit(page: Page, address: str, name: str) -> None:
    """Open a page and look at it."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, page.inner_text("body")
    look(page, name)
