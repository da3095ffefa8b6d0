"""The demo page, used by keyboard alone in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser_fixture, open_page, serve_bundle

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_bundle(tmp_path_factory.mktemp("served")) as server:
        yield server.url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with open_page(browser, url, unreported="Failed to load") as page:
        yield page


def focused(page: Page) -> str:
    """Text or id of the element that has the focus."""
    text: str = page.locator(":focus").evaluate("node => node.id || node.textContent")
    return text


def test_typing_and_examples_are_answered_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert focused(page) == "text"
    page.keyboard.type("a warm funny film")
    expect(page.locator("#verdict")).to_have_text("Positive")
    expect(page.locator("#live")).to_contain_text("Positive")
    page.keyboard.press("Control+a")
    page.keyboard.type("awful")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#verdict")).to_have_text("Negative")
    expect(page.locator("#time")).to_contain_text("ms")
    page.keyboard.press("Tab")
    assert focused(page) == "Ask"
    page.keyboard.press("Tab")
    assert focused(page) == "explain"
    page.keyboard.press("Tab")
    assert focused(page) == "a warm funny film"
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("a warm funny film")
    expect(page.locator("#verdict")).to_have_text("Positive")
    expect(page.locator("#history li").first).to_contain_text("a warm funny film")


def test_every_stop_of_the_tab_key_shows_the_focus(page: Page) -> None:
    for _ in range(6):
        page.keyboard.press("Tab")
        width = page.locator(":focus").evaluate("node => getComputedStyle(node).outlineWidth")
        assert width == "3px", focused(page)


def test_an_even_answer_is_shown_as_not_sure(page: Page) -> None:
    page.locator("#text").fill("the film")
    expect(page.locator("#verdict")).to_have_text("Not sure")
    expect(page.locator("#bars li")).to_have_count(2)


def test_what_is_typed_stays_text(page: Page) -> None:
    page.locator("#text").fill("<img src=x onerror=alert(1)> good")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#history .said").first).to_have_text("<img src=x onerror=alert(1)> good")
    expect(page.locator("main img")).to_have_count(0)


def test_the_comparison_shows_gain_and_cost(page: Page) -> None:
    expect(page.locator("#ratios")).to_contain_text("28")
    expect(page.locator("#ratios")).to_contain_text("5.0")
    expect(page.locator("#figures")).to_contain_text("81.0%")


def test_a_server_that_does_not_answer_is_reported_and_asked_again(page: Page) -> None:
    page.route("**/predict", lambda route: route.abort())
    page.locator("#text").fill("good")
    expect(page.locator("#verdict")).to_have_text("The model is not available")
    page.unroute("**/predict")
    expect(page.locator("#verdict")).to_have_text("Positive", timeout=15_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1920])
def test_no_width_scrolls_sideways(browser: Browser, url: str, width: int, scheme: str) -> None:
    looks = {"color_scheme": scheme, "reduced_motion": "reduce"}
    with open_page(browser, url, width=width, **looks) as page:
        page.locator("#text").fill("good " + "w" * 300)
        expect(page.locator("#verdict")).to_have_text("Positive")
