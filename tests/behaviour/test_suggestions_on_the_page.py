"""A model's answer on the page: quiet, never chosen beforehand, hidden where chance says so, noted in the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.annotation.score_file import SCORES_FILE, Scores, write_scores
from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.labelling import LABELS, PRODUCT, label_server, logged, make_project, row_id
from tests.support.server import wait_until

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

ROWS = 60
TEXTS = [f"Text number {number}, which somebody wrote." for number in range(ROWS)]


@contextmanager
def opened(browser: Browser, root: Path, *, korean: bool = False) -> Iterator[Page]:
    """The page of a product whose model says `question` to each row, half of the answers in sight."""
    make_project(root, TEXTS)
    folder = root / ".modelyard" / "annotation" / PRODUCT
    folder.mkdir(parents=True)
    ids = np.arange(ROWS, dtype=np.uint64)
    probabilities = np.tile(np.array([0.12, 0.88], np.float32), (ROWS, 1))
    scores = Scores(ids=ids, probabilities=probabilities, labels=LABELS, model="head-1")
    write_scores(folder / SCORES_FILE, scores)
    with label_server(root, suggestions=0.5) as server:
        context = browser.new_context(locale="ko-KR" if korean else "en-GB")
        problems: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.links["ann"])
        expect(page.locator("body")).to_have_attribute("data-state", "row")
        yield page
        context.close()
        assert problems == []


def to_a_suggestion(page: Page) -> int:
    """Labels by key until a suggestion is in sight; returns how many rows that took."""
    number = 0
    while page.locator("#accept").is_hidden():
        page.keyboard.press("1")
        number += 1
        expect(page.locator("#text")).to_have_text(TEXTS[number])
    return number


def test_half_of_the_rows_show_an_answer_that_space_accepts_and_the_log_has_both_arms(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        for number in range(20):
            expect(page.locator("#labels [aria-pressed=true]")).to_have_count(0)
            is_shown = page.locator("#accept").is_visible()
            page.keyboard.press("Space" if is_shown else "1")
            expect(page.locator("#text")).to_have_text(TEXTS[number + 1])
        wait_until(lambda: len(logged(tmp_path)) == 20)
    events = [kept.event for kept in logged(tmp_path)]
    assert {event.arm for event in events} == {"shown", "hidden"}
    for event in events:
        assert event.suggestion is not None
        assert (event.suggestion.label, event.suggestion.model) == ("question", "head-1")
        assert event.labels == (LABELS[1:] if event.arm == "shown" else LABELS[:1])


def test_another_label_is_one_key_too_and_space_means_nothing_without_an_answer(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        number = to_a_suggestion(page)
        page.keyboard.press("1")
        while page.locator("#accept").is_visible():
            page.keyboard.press("1")
        text = page.locator("#text").text_content()
        page.keyboard.press("Space")
        expect(page.locator("#text")).to_have_text(text or "")
        wait_until(lambda: len(logged(tmp_path)) > number)
    event = next(kept.event for kept in logged(tmp_path) if kept.event.row == row_id(number))
    assert (event.arm, event.labels) == ("shown", LABELS[:1])


def test_an_answer_of_ones_own_is_looked_at_without_the_models(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        to_a_suggestion(page)
        page.keyboard.press("Space")
        page.keyboard.press("j")
        expect(page.locator("#place")).to_be_visible()
        expect(page.locator("#accept")).to_be_hidden()


@pytest.mark.parametrize(
    "korean",
    [pytest.param(False, id="English"), pytest.param(True, id="Korean", marks=pytest.mark.soak)],
)
def test_a_suggestion_is_accessible_large_enough_and_pressed_by_touch(
    browser: Browser, tmp_path: Path, korean: bool
) -> None:
    with opened(browser, tmp_path, korean=korean) as page:
        number = to_a_suggestion(page)
        expect(page.locator("#accept")).to_contain_text("question")
        expect(page.locator("#accept")).to_contain_text("88")
        assert serious_findings(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        box = page.locator("#accept").bounding_box()
        assert box is not None
        assert box["height"] >= 44
        page.locator("#accept").click()
        expect(page.locator("#text")).to_have_text(TEXTS[number + 1])
