"""A running headless Chromium for tests of pages.

A test file imports the fixture and marks itself, so that it is left out where there is no browser:

    from tests.support.browser import browser_fixture
    pytestmark = pytest.mark.browser
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

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
    """A running browser; open a context of your own in it and close it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()
