"""Driving pages in headless Chromium: one browser for a test process, a fresh page for each test.

A test file says `from tests.browser import browser_page, serve` (and marks itself `browser`); both are fixtures.
Without a Chromium on the machine such tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright
from werkzeug.serving import make_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

SIZES = {"desk": (1440, 900), "laptop": (1024, 768), "phone": (390, 844)}
"""The three widths every page is looked at in."""

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


def _complaint(message: ConsoleMessage) -> list[str]:
    """Errors of scripts and of the content policy; an answer of 4xx or 5xx is the page's business."""
    expected = "Failed to load resource: the server responded with a status"
    return [message.text] if message.type == "error" and not message.text.startswith(expected) else []


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


def resize(page: Page, size: str) -> None:
    """Make the window "desk", "laptop" or "phone"."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})


def set_theme(page: Page, theme: str) -> None:
    """Choose "light" or "dark" as a person would have: remembered, then loaded again."""
    page.evaluate("theme => localStorage.setItem('kept-theme', theme)", theme)
    page.reload()


def screenshot(page: Page, name: str) -> Path:
    """A picture of the whole page under test-results/ (or $KEPT_SCREENSHOTS), for a person to look at."""
    folder = Path(os.environ.get("KEPT_SCREENSHOTS", "test-results/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.screenshot(path=path, full_page=True)
    return path


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window: 0 on a page that fits."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
