"""The demo page for pairs, several labels and numbers, in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.problem.decision import Decision
from pipeline.runtime.task import Task
from tests.support.browser import browser_fixture
from tests.support.server import run_server
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@contextmanager
def page_of(browser: Browser, folder: Path, task: Task, *, width: int = 1280) -> Iterator[Page]:
    """The page of a server for `task`; fails at the end if the page complained."""
    make_tiny_bundle(folder / "bundle", task=task)
    with run_server(folder, "--bundle", str(folder / "bundle")) as server:
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(server.url)
        expect(page.locator("#examples button")).to_have_count(3)
        yield page
        hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
        context.close()
    assert problems == []
    assert hidden <= 0


@pytest.mark.parametrize("width", [360, 1280])
def test_two_texts_are_written_and_asked_by_keyboard_alone(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    with page_of(browser, tmp_path, tiny_task(pairs=True), width=width) as page:
        page.keyboard.press("Tab")
        page.keyboard.type("the film")
        expect(page.locator("#verdict")).to_have_text("Waiting for the other text")
        page.keyboard.press("Tab")
        page.keyboard.type("a warm funny film")
        expect(page.locator("#verdict")).to_have_text("Positive")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#history .said")).to_have_text("the film / a warm funny film")
        page.locator("#examples button").nth(1).click()
        expect(page.locator("#second")).to_have_value("awful dull")
        expect(page.locator("#verdict")).to_have_text("Negative")


def test_every_label_that_holds_is_named_and_has_its_mark(browser: Browser, tmp_path: Path) -> None:
    decision = Decision(thresholds=(0.25, 0.75))
    with page_of(browser, tmp_path, tiny_task("multi_label", decision=decision)) as page:
        page.locator("#text").fill("warm funny awful dull")
        expect(page.locator("#verdict")).to_have_text("Negative and positive")
        expect(page.locator("#bars .first")).to_have_count(2)
        marks = page.locator("#bars .mark").evaluate_all("all => all.map(x => x.style.left)")
        assert marks == ["25%", "75%"]
        page.locator("#text").fill("the film")
        expect(page.locator("#verdict")).to_have_text("None of them")
        expect(page.locator("#mark-note")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_number_stands_on_its_scale(browser: Browser, tmp_path: Path, width: int) -> None:
    with page_of(browser, tmp_path, tiny_task("regression"), width=width) as page:
        pin = page.locator("#scale .pin")
        page.locator("#text").fill("warm funny")
        expect(page.locator("#verdict")).to_contain_text("6.")
        expect(page.locator("#detail")).to_have_text("Stars")
        expect(pin).to_be_visible()
        right = float(pin.evaluate("node => parseFloat(node.style.left)"))
        page.locator("#text").fill("awful dull")
        expect(page.locator("#verdict")).to_contain_text("-")
        assert float(pin.evaluate("node => parseFloat(node.style.left)")) < 50 < right
        expect(page.locator("#bars li")).to_have_count(0)
        expect(page.locator("#figures")).to_contain_text("Pearson correlation")


def test_an_answer_that_the_model_holds_back_is_shown_as_not_sure(
    browser: Browser, tmp_path: Path
) -> None:
    with page_of(browser, tmp_path, tiny_task(decision=Decision(abstain_below=0.9))) as page:
        page.locator("#text").fill("the film")
        expect(page.locator("#verdict")).to_have_text("Not sure")
        expect(page.locator("#detail")).to_contain_text("leans towards")
        page.locator("#text").fill("warm funny")
        expect(page.locator("#verdict")).to_have_text("Positive")
