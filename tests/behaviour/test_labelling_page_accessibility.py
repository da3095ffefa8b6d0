"""No serious or critical finding of axe-core on the label screen, in any of its states and looks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.label_tab import TEXTS, opened, served
from tests.support.labelling import LABELS

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

State = Callable[[Page], None]


def _of_a_text(page: Page) -> None:
    expect(page.locator("#labels button")).to_have_count(len(LABELS))


def _with_a_choice(page: Page) -> None:
    page.keyboard.press("1")
    expect(page.locator("#labels [aria-pressed=true]")).to_have_count(1)


def _with_a_number_that_is_none(page: Page) -> None:
    page.keyboard.press("Enter")
    expect(page.locator("#number[aria-invalid]")).to_be_visible()


def _of_an_earlier_answer_with_flag_and_comment(page: Page) -> None:
    page.keyboard.press("f")
    _commented(page)
    page.keyboard.press("1")
    page.keyboard.press("j")
    expect(page.locator("#place")).to_be_visible()


def _commented(page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.type("unclear")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#note")).to_have_text("unclear")


def _with_open_history(page: Page) -> None:
    _commented(page)
    for key in "12s":
        page.keyboard.press(key)
    page.keyboard.press("h")
    expect(page.locator("#history-list li")).to_have_count(3)


def _with_open_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def _with_open_comment(page: Page) -> None:
    page.keyboard.press("c")
    expect(page.locator("#note-dialog")).to_be_visible()


def _with_open_guide(page: Page) -> None:
    page.keyboard.press("g")
    expect(page.locator("#guide-text")).to_be_visible()


def _without_rows(page: Page) -> None:
    page.keyboard.press("1")
    expect(page.locator("body")).to_have_attribute("data-state", "empty")


def _of_an_old_link(page: Page) -> None:
    page.goto(f"{page.url.partition('#')[0]}#wrong")
    expect(page.locator("body")).to_have_attribute("data-state", "closed")


def _while_the_server_cannot_be_reached(page: Page) -> None:
    page.context.set_offline(True)
    page.keyboard.press("1")
    expect(page.locator("#saved")).to_have_attribute("data-state", "away")


STATES: dict[str, tuple[State, dict[str, Any]]] = {
    "one label": (_of_a_text, {}),
    "several labels": (
        _with_a_choice,
        {"labels": ("angry", "sad", "glad"), "problem": "multi_label"},
    ),
    "a number": (_with_a_number_that_is_none, {"labels": ("stars",), "problem": "regression"}),
    "a pair": (_of_a_text, {"second": TEXTS}),
    "a text of 20,000 characters": (_of_a_text, {"texts": ["word " * 4000, *TEXTS]}),
    "an earlier answer": (_of_an_earlier_answer_with_flag_and_comment, {}),
    "history": (_with_open_history, {}),
    "keys": (_with_open_keys, {}),
    "comment": (_with_open_comment, {}),
    "guide": (_with_open_guide, {"guide": "A complaint says that something is wrong.\n" * 60}),
    "no rows": (_without_rows, {"texts": TEXTS[:1]}),
    "an old link": (_of_an_old_link, {}),
    "no server": (_while_the_server_cannot_be_reached, {}),
}


QUICK = ("one label", "history", "several labels")
"""States that are looked at each time; the others are soak tests."""


@pytest.mark.parametrize(
    ("state", "project"),
    [
        pytest.param(*state, id=name, marks=[] if name in QUICK else [pytest.mark.soak])
        for name, state in STATES.items()
    ],
)
def test_the_label_screen_has_no_serious_finding(
    browser: Browser, tmp_path: Path, state: State, project: dict[str, Any]
) -> None:
    with _page(browser, tmp_path, **project) as page:
        state(page)
        assert serious_findings(page) == []


@contextmanager
def _page(browser: Browser, root: Path, *, guide: str = "", **project: Any) -> Iterator[Page]:
    if guide:
        (root / "annotations").mkdir()
        (root / "annotations" / "guide.md").write_text(guide, encoding="utf-8")
    with served(root, **project) as server, opened(browser, server.links["ann"]) as page:
        yield page


def test_the_check_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    with _page(browser, tmp_path) as page:
        page.evaluate(
            """() => {
              const nameless = document.createElement("button"), pale = document.createElement("p");
              nameless.id = "nameless";
              pale.id = "pale";
              pale.textContent = "too pale";
              pale.style.color = "#808080";
              document.querySelector("main").append(nameless, pale);
            }"""
        )
        found = serious_findings(page)
        assert [line.partition(": ")[2].split(":")[0] for line in found if "nameless" in line] == [
            "button-name (critical) at #nameless"
        ] * 2
        looks = [line.partition(":")[0] for line in found if "#pale" in line]
        assert looks == ["light, 360 px", "light, 1280 px"]
