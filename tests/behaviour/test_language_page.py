"""The language tab, used by keyboard alone in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser_fixture, open_page, serve_bundle
from tests.support.tiny_language import write_language_model

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    write_language_model(folder / "model", "bilm")
    files = folder / "model/model.onnx", folder / "model/tokenizer.json"
    with serve_bundle(folder, language_model=files) as server:
        yield server.url


@pytest.fixture(params=[360, 1280])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    with open_page(browser, url, width=request.param) as page:
        expect(page.locator("#tabs")).to_be_visible()
        yield page


def test_next_words_and_surprise_follow_the_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#language")).to_be_visible()
    expect(page.locator("#classify")).to_be_hidden()
    expect(page.locator("#next button").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("The film is")
    expect(page.locator("#surprise")).to_have_text("The film is")
    expect(page.locator("#surprise .token-cost")).to_have_text(["The", "film", "is"])
    first = page.locator("#next button .name").first.text_content()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#context")).to_have_value(f"The film is {first}")
    expect(page.locator("#surprise-note")).to_contain_text("bits from the left")


def test_a_blank_is_filled(page: Page) -> None:
    page.locator("#tab-language").click()
    page.locator("#context").fill("The ___ is warm.")
    expect(page.locator("#next-title")).to_have_text("What fits the blank")
    word = page.locator("#next button .name").first.text_content()
    page.locator("#next button").first.click()
    expect(page.locator("#context")).to_have_value(f"The {word} is warm.")
