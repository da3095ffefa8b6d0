"""The demo page for pairs, several labels and numbers, in a real browser."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.problem.decision import Decision
from pipeline.runtime.task import Task
from tests.support.browser import browser_fixture, open_page, serve_bundle
from tests.support.tiny_bundle import tiny_task

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser
PageOf = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def page_of(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageOf]:
    """The page of a server for a task; each task has one server."""
    with ExitStack() as servers:

        @cache
        def url_of(task: Task) -> str:
            return servers.enter_context(
                serve_bundle(tmp_path_factory.mktemp("served"), task=task)
            ).url

        yield lambda task, width=1280: open_page(browser, url_of(task), width=width)


@pytest.mark.parametrize("width", [360, 1280])
def test_two_texts_are_written_and_asked_by_keyboard_alone(page_of: PageOf, width: int) -> None:
    with page_of(tiny_task(pairs=True), width=width) as page:
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


def test_every_label_that_holds_is_named_and_has_its_mark(page_of: PageOf) -> None:
    decision = Decision(thresholds=(0.25, 0.75))
    with page_of(tiny_task("multi_label", decision=decision)) as page:
        page.locator("#text").fill("warm funny awful dull")
        expect(page.locator("#verdict")).to_have_text("Negative and positive")
        expect(page.locator("#bars .first")).to_have_count(2)
        marks = page.locator("#bars .mark").evaluate_all("all => all.map(x => x.style.left)")
        assert marks == ["25%", "75%"]
        page.locator("#text").fill("the film")
        expect(page.locator("#verdict")).to_have_text("None of them")
        expect(page.locator("#mark-note")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_number_stands_on_its_scale(page_of: PageOf, width: int) -> None:
    with page_of(tiny_task("regression"), width=width) as page:
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


def test_an_answer_that_the_model_holds_back_is_shown_as_not_sure(page_of: PageOf) -> None:
    with page_of(tiny_task(decision=Decision(abstain_below=0.9))) as page:
        page.locator("#text").fill("the film")
        expect(page.locator("#verdict")).to_have_text("Not sure")
        expect(page.locator("#detail")).to_contain_text("leans towards")
        page.locator("#text").fill("warm funny")
        expect(page.locator("#verdict")).to_have_text("Positive")
