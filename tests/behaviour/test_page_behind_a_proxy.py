"""The demo page below a prefix that its proxy leaves on, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import browser_fixture, open_page
from tests.support.server import run_server
from tests.support.tiny_bundle import make_tiny_bundle

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the prefix, without a slash, as people type it."""
    folder = tmp_path_factory.mktemp("proxied")
    make_tiny_bundle(folder / "bundle")
    options = ("--bundle", str(folder / "bundle"), "--root-path", "/team/model")
    with run_server(folder, *options) as server:
        yield f"{server.url}team/model"


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_finds_its_files_and_its_model(browser: Browser, address: str, width: int) -> None:
    with open_page(browser, address, width=width) as page:
        assert page.url == f"{address}/"
        page.locator("#text").fill("a warm funny film")
        expect(page.locator("#verdict")).to_have_text("Positive")
        card = page.locator("a", has_text="Model card")
        assert card.evaluate("node => node.href") == f"{address}/model/card"
