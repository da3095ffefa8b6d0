"""The language tab, used by keyboard alone in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser_fixture
from tests.support.server import RunningServer, run_server
from tests.support.tiny_bundle import make_tiny_bundle
from tests.support.tiny_language import write_language_model

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@pytest.fixture(name="server", scope="module")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("served")
    write_language_model(folder / "model", "bilm")
    files = folder / "model/model.onnx", folder / "model/tokenizer.json"
    make_tiny_bundle(folder / "bundle", language_model=files)
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        yield server


@pytest.fixture(name="page", params=[360, 1280])
def open_page(
    browser: Browser, server: RunningServer, request: pytest.FixtureRequest
) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(server.url)
    expect(page.locator("#tabs")).to_be_visible()
    yield page
    context.close()
    assert problems == []


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
    overflow = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not overflow


def test_a_blank_is_filled(page: Page) -> None:
    page.locator("#tab-language").click()
    page.locator("#context").fill("The ___ is warm.")
    expect(page.locator("#next-title")).to_have_text("What fits the blank")
    word = page.locator("#next button .name").first.text_content()
    page.locator("#next button").first.click()
    expect(page.locator("#context")).to_have_value(f"The {word} is warm.")
