"""A running headless Chromium for tests of pages.

A test file imports the fixture and marks itself, so that it is left out where there is no browser:

    from tests.support.browser import browser_fixture
    pytestmark = pytest.mark.browser
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.server import RunningServer, run_server
from tests.support.tiny_bundle import make_tiny_bundle

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(name="browser", scope="module")
def browser_fixture(chromium: str) -> Iterator[Browser]:
    """A running browser; see `open_page`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def serve_bundle(folder: Path, **bundle: Any) -> Iterator[RunningServer]:
    """A server of a tiny bundle; see `make_tiny_bundle` for what can be said of it."""
    make_tiny_bundle(folder / "bundle", **bundle)
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        yield server


@contextmanager
def open_page(
    browser: Browser, url: str, *, width: int = 1280, unreported: str = "", **context: Any
) -> Iterator[Page]:
    """A page in a context of its own; fails at the end if it scrolls sideways or reported a problem.

    The browser reports on the console if the page breaks its own content policy.

    Args:
        unreported: a part of the messages that do not count.
    """
    opened = browser.new_context(viewport={"width": width, "height": 900}, **context)
    page = opened.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(url)
    expect(page.locator("#examples button")).to_have_count(3)
    yield page
    hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    opened.close()
    assert [text for text in problems if not unreported or unreported not in text] == []
    assert hidden <= 0
