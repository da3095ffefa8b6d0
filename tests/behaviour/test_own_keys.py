"""Keys of one's own on the label page, and the line below the text."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.built_goal import built
from tests.support.labelling import label_server, make_project, row_id, standing

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

TEXTS = [f"Text number {number}." for number in range(60)]
LABELS = ("complaint", "question", "praise")
OWN = "modelyard-annotation-own-keys-letters"


@contextmanager
def opened(browser: Browser, root: Path, **project: Any) -> Iterator[Page]:
    make_project(root, TEXTS, **{"labels": LABELS} | project)
    with label_server(root) as server:
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(server.links["ann"])
        ready(page)
        yield page
        page.close()
        assert problems == []


def ready(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", "row")


def choose(page: Page, name: str) -> None:
    """Opens the dialog where it is closed, and chooses a line, all by keyboard."""
    if not page.locator("#own-keys").is_visible():
        page.keyboard.press("?")
        page.locator("#change-keys").focus()
        page.keyboard.press("Enter")
    page.locator("#own-keys-list button", has_text=name).focus()
    page.keyboard.press("Enter")


def kept(page: Page) -> dict[str, str]:
    found: dict[str, str] = json.loads(page.evaluate(f"() => localStorage['{OWN}'] ?? '{{}}'"))
    return found


def close(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("#own-keys")).not_to_be_visible()


def shows(page: Page, number: int) -> None:
    expect(page.locator("#text")).to_have_text(TEXTS[number])


def test_labels_and_commands_get_keys_of_ones_own_which_outlive_the_page(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "complaint")
        page.keyboard.press("q")
        choose(page, "skips the text")
        page.keyboard.press(";")
        expect(page.locator("#own-keys-said")).to_contain_text(";")
        close(page)
        assert kept(page) == {"label complaint": "KeyQ", "skip": "Semicolon"}
        expect(page.locator("#labels button kbd").first).to_have_text("Q")
        expect(page.locator("#skip kbd")).to_have_text(";")
        page.reload()
        ready(page)
        for key in ("q", ";", "2", "1", "s"):  # the last two mean nothing now
            page.keyboard.press(key)
        shows(page, 3)
        expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
        assert standing(tmp_path) == {
            row_id(0): ("complaint",),
            row_id(1): ("skip",),
            row_id(2): ("question",),
        }


def test_a_key_that_another_action_has_is_named_and_swapped_by_a_second_press(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "complaint")
        page.keyboard.press("s")
        expect(page.locator("#own-keys-said")).to_contain_text("S is the key of: skips the text")
        assert kept(page) == {}
        page.keyboard.press("s")
        close(page)
        assert kept(page) == {"label complaint": "KeyS", "skip": "Digit1"}
        page.keyboard.press("s")
        page.keyboard.press("1")
        shows(page, 2)
        expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
        assert standing(tmp_path) == {row_id(0): ("complaint",), row_id(1): ("skip",)}


def test_keys_with_a_fixed_meaning_cannot_be_taken(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "complaint")
        for key in ("Enter", "Backspace", "ArrowLeft", "/", "F5", "Space", "Delete"):
            page.keyboard.press(key)
            expect(page.locator("#own-keys-said")).to_contain_text("fixed meaning")
            page.keyboard.press("Shift")
        page.keyboard.press("Escape")
        expect(page.locator("#own-keys-said")).to_contain_text("stays as it was")
        expect(page.locator("#own-keys")).to_be_visible()
        assert kept(page) == {}


def test_where_a_number_is_typed_its_digits_stay(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, labels=("stars",), problem="regression") as page:
        choose(page, "skips the text")
        page.keyboard.press("4")
        expect(page.locator("#own-keys-said")).to_contain_text("fixed meaning")
        page.keyboard.press("x")
        close(page)
        for key in ("4", "Enter", "x"):
            page.keyboard.press(key)
        shows(page, 2)


def test_undo_has_a_key_of_ones_own_beside_backspace_until_the_usual_keys_come_back(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "takes the last answer back")
        page.keyboard.press("z")
        close(page)
        for key in ("1", "1", "1", "z", "Backspace", "u"):
            page.keyboard.press(key)
        shows(page, 1)
        choose(page, "complaint")
        page.keyboard.press("q")
        page.locator("#reset-keys").click()
        close(page)
        assert kept(page) == {}
        for key in ("1", "q", "u"):
            page.keyboard.press(key)
        shows(page, 1)


def test_choices_that_a_new_label_would_meet_do_not_count(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path) as page:
        page.evaluate(
            f"() => localStorage.setItem('{OWN}', JSON.stringify({{'label complaint': 'Digit2', skip: 'KeyX'}}))"
        )
        page.reload()
        ready(page)
        for key in ("1", "2", "x"):
            page.keyboard.press(key)
        shows(page, 3)
        expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
        assert standing(tmp_path) == {
            row_id(0): ("complaint",),
            row_id(1): ("question",),
            row_id(2): ("skip",),
        }


def test_a_new_key_holds_by_its_place_with_hangul_input_on(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "complaint")
        session = page.context.new_cdp_session(page)
        for kind in ("rawKeyDown", "keyUp"):
            session.send(
                "Input.dispatchKeyEvent",
                {"type": kind, "code": "KeyQ", "key": "ㅂ", "windowsVirtualKeyCode": 229},
            )
        close(page)
        page.keyboard.press("q")
        shows(page, 1)


def test_keys_that_are_switched_off_stay_off_and_the_dialog_has_no_serious_finding(
    browser: Browser, tmp_path: Path
) -> None:
    with opened(browser, tmp_path) as page:
        choose(page, "complaint")
        assert serious_findings(page) == []
        page.keyboard.press("q")
        close(page)
        page.keyboard.press("?")
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        ready(page)
        page.keyboard.press("q")
        shows(page, 0)


@pytest.mark.parametrize("high", [1000, None], ids=["an interval", "no upper end"])
def test_the_line_below_the_text_says_how_many_labels_are_needed(
    browser: Browser, tmp_path: Path, high: int | None
) -> None:
    built(tmp_path, at_most=high)
    with opened(browser, tmp_path) as page:
        end = "700–1,300" if high else "700 or more"
        expect(page.locator("#counts")).to_have_text(f"0 of about 900 ({end})")
        page.keyboard.press("1")
        expect(page.locator("#counts")).to_have_text(f"1 of about 900 ({end})")
        page.keyboard.press("u")
        expect(page.locator("#counts")).to_have_text(f"0 of about 900 ({end})")
        expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
        expect(page.locator("#counts")).to_have_text(f"0 of about 900 ({end})")
