"""The screen of disputes in a real browser, over a real server: two keys decide, and the log holds what a hand did."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.annotation.standing_answers import Answers
from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.labelling import (
    LABELS,
    LabelServer,
    label_server,
    logged,
    make_project,
    post,
    row_id,
    vote,
)

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

TEXTS = [f"Text number {number}." for number in range(40)]
GUIDE = """Read the whole text first.

## complaint
Somebody is unhappy and says so.

### Examples that are

- No reply for weeks.

## question
An answer is expected.

## praise
Somebody is glad.
"""
PEOPLE = "ann,bob,cho:adjudicator"
JUDGE = "p3"


@contextmanager
def disputed(
    root: Path,
    *,
    disputes: int = 12,
    answers: Sequence[dict[str, Any]] = ({"labels": [LABELS[0]]}, {"labels": [LABELS[1]]}),
    guide: str = GUIDE,
    texts: Sequence[str] = TEXTS,
    **project: Any,
) -> Iterator[LabelServer]:
    """A server on which ann and bob answered the first rows, each with one of the answers."""
    make_project(root, texts, **{"labels": (*LABELS, "praise")} | project)
    (root / "annotations" / "guide.md").write_text(guide, encoding="utf-8")
    with label_server(root, PEOPLE) as server:
        for name, answer in zip(("ann", "bob"), answers, strict=True):
            with server.client(name) as client:
                votes = (vote(f"{name}{row}", row_id(row)) for row in range(disputes))
                post(client, *(given | answer for given in votes))
        yield server


@contextmanager
def opened(
    browser: Browser, server: LabelServer, name: str = "cho", **looks: Any
) -> Iterator[Page]:
    """The screen for a person; fails at the end where it reported a problem or scrolls sideways."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(server.links[name].replace("/#", "/adjudicate#"))
    yield page
    hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    context.close()
    assert [text for text in problems if "Failed to load" not in text] == []
    assert hidden <= 0


def shows(page: Page, number: int) -> None:
    expect(page.locator("#text")).to_have_text(TEXTS[number])


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved", timeout=20_000)


def decided(root: Path) -> dict[str, tuple[Any, ...]]:
    """Row → label or number, and cause, of the decisions that stand."""
    answers = Answers()
    for kept in logged(root, JUDGE):
        answers.take(kept)
    events = (kept.event for kept in answers.every_decision())
    return {
        event.row: (event.labels if event.number is None else event.number, event.why)
        for event in events
    }


def test_disputes_are_decided_by_two_keys_each_and_survive_a_reload(
    browser: Browser, tmp_path: Path
) -> None:
    causes = ("slip", "guide", "ambiguous")
    with disputed(tmp_path) as server, opened(browser, server) as page:
        expected: dict[str, tuple[Any, ...]] = {}
        for number in range(9):
            shows(page, number)
            page.keyboard.press(str(number % 2 + 1))
            expect(page.locator("#question")).to_contain_text("Why do they differ?")
            page.keyboard.press(str(number % 3 + 1))
            expected[row_id(number)] = ((LABELS[number % 2],), causes[number % 3])
        shows(page, 9)
        expect(page.locator("#counts")).to_have_text("3 open · 9 decided")
        saved(page)
        assert decided(tmp_path) == expected
        page.reload()
        shows(page, 9)
        expect(page.locator("#counts")).to_have_text("3 open · 9 decided")
        for number in (8, 7):
            page.keyboard.press("u")
            shows(page, number)
            del expected[row_id(number)]
        page.keyboard.press("2")
        page.keyboard.press("Backspace")  # back to the label
        expect(page.locator("#question")).to_have_text("Which label is right?")
        page.keyboard.press("1")
        page.keyboard.press("3")
        expected[row_id(7)] = ((LABELS[0],), "ambiguous")
        shows(page, 8)
        saved(page)
        assert decided(tmp_path) == expected


def test_votes_have_letters_comments_and_no_names(browser: Browser, tmp_path: Path) -> None:
    with disputed(tmp_path, disputes=1) as server:
        with server.client("bob") as client:
            comment = {"uid": "c", "event": "comment", "row": row_id(0), "comment": "<b>irony</b>?"}
            post(client, comment, {"uid": "f", "event": "flag", "row": row_id(0)})
        with opened(browser, server) as page:
            shows(page, 0)
            votes = page.locator("#votes li")
            expect(votes).to_have_count(2)
            assert {*page.locator("#votes .name").all_text_contents()} == {"A", "B"}
            assert {*page.locator("#votes .got").all_text_contents()} == {*LABELS}
            expect(page.locator("#votes .remark")).to_have_text("flagged · <b>irony</b>?")
            body = page.locator("main").text_content() or ""
            assert not any(name in body for name in ("ann", "bob", "p1", "p2"))


def test_the_next_dispute_is_there_in_the_same_frame(browser: Browser, tmp_path: Path) -> None:
    with disputed(tmp_path) as server, opened(browser, server) as page:
        shows(page, 0)
        found = page.evaluate(
            """() => { const text = document.querySelector("#text"), seen = [];
            const press = (code) => document.body.dispatchEvent(new KeyboardEvent("keydown", {code, key: "x", bubbles: true}));
            for (let number = 0; number < 5; number++) { press("Digit1"); press("Digit2"); seen.push(text.textContent); }
            return seen }"""
        )
        assert found == TEXTS[1:6]
        expect(page.locator("#text")).to_be_focused()
        expect(page.locator("#live")).to_have_text("complaint, Gap in the guide. Next dispute.")


def test_the_sections_of_the_labels_in_dispute_are_open_beside_the_text(
    browser: Browser, tmp_path: Path
) -> None:
    with disputed(tmp_path) as server, opened(browser, server) as page:
        shows(page, 0)
        expect(page.locator("#guide-text details[open] summary")).to_have_text([*LABELS])
        expect(page.locator("#guide-text details:not([open]) summary")).to_have_text(["praise"])
        expect(page.locator("#guide-text")).to_contain_text("Read the whole text first.")
        expect(page.locator("#guide-text details").first).to_contain_text("unhappy")
        expect(page.locator("#guide-text h3")).to_have_text(["Examples that are"])
        expect(page.locator("#guide-text li")).to_have_text(["No reply for weeks."])


def test_a_comment_goes_with_the_decision_and_a_dispute_may_wait(
    browser: Browser, tmp_path: Path
) -> None:
    with disputed(tmp_path, disputes=3) as server, opened(browser, server) as page:
        shows(page, 0)
        page.keyboard.press("s")
        shows(page, 1)
        page.keyboard.press("c")
        page.keyboard.type("12: both are meant")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#note")).to_have_text("12: both are meant")
        page.keyboard.press("1")
        page.keyboard.press("3")
        shows(page, 2)
        expect(page.locator("#note")).to_be_hidden()
        for _ in range(2):
            page.keyboard.press("1")
            page.keyboard.press("1")
        expect(page.locator("body")).to_have_attribute("data-state", "empty")
        expect(page.locator("#text")).to_contain_text("No dispute is open")
        expect(page.locator("#counts")).to_have_text("0 open · 3 decided")
        saved(page)
        first, second, third = (kept.event for kept in logged(tmp_path, JUDGE))
        assert [first.row, second.row, third.row] == [row_id(1), row_id(2), row_id(0)]
        assert (first.comment, second.comment) == ("12: both are meant", None)
        assert first.guide
        assert first.seconds is not None


def test_an_earlier_decision_is_looked_at_and_replaced(browser: Browser, tmp_path: Path) -> None:
    with disputed(tmp_path, disputes=4) as server, opened(browser, server) as page:
        shows(page, 0)
        for _ in range(2):
            page.keyboard.press("1")
            page.keyboard.press("1")
        page.keyboard.press("h")
        expect(page.locator("#history-list li")).to_have_count(2)
        page.locator("#history-list button").last.click()
        shows(page, 0)
        expect(page.locator("#place")).to_contain_text("complaint (Slip)")
        page.keyboard.press("2")
        page.keyboard.press("2")
        shows(page, 2)
        saved(page)
        expect(page.locator("#counts")).to_have_text("2 open · 2 decided")
        assert decided(tmp_path)[row_id(0)] == ((LABELS[1],), "guide")


KINDS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[str], tuple[Any, ...]]] = {
    "several labels": (
        {"labels": ("angry", "sad", "glad"), "problem": "multi_label"},
        [{"labels": ["angry"]}, {"labels": ["angry", "sad"]}],
        ["1", "2", "3", "3", "Enter", "3"],
        (("angry", "sad"), "ambiguous"),
    ),
    "none of several": (
        {"labels": ("angry", "sad", "glad"), "problem": "multi_label"},
        [{"labels": ["angry"]}, {"labels": []}],
        ["Enter", "1"],
        ((), "slip"),
    ),
    "a number": (
        {"labels": ("stars",), "problem": "regression"},
        [{"number": 1}, {"number": 5}],
        ["3", ".", "5", "2", "Backspace", "Enter", "2"],
        (3.5, "guide"),
    ),
}


@pytest.mark.soak
@pytest.mark.parametrize(("project", "answers", "keys", "expected"), KINDS.values(), ids=KINDS)
def test_every_kind_of_answer_is_decided_by_keys(
    browser: Browser,
    tmp_path: Path,
    project: dict[str, Any],
    answers: list[dict[str, Any]],
    keys: list[str],
    expected: tuple[Any, ...],
) -> None:
    with (
        disputed(tmp_path, disputes=2, answers=answers, **project) as server,
        opened(browser, server) as page,
    ):
        shows(page, 0)
        for key in keys:
            page.keyboard.press(key)
        shows(page, 1)
        saved(page)
        assert decided(tmp_path) == {row_id(0): expected}


def test_an_annotator_is_told_who_decides_and_sees_no_link(
    browser: Browser, tmp_path: Path
) -> None:
    with disputed(tmp_path, disputes=1) as server:
        with opened(browser, server, "ann") as page:
            expect(page.locator("#text")).to_contain_text("adjudicators and the lead")
            expect(page.locator("#views a")).to_have_text(["Label", "Guide page", "Pace"])
        with opened(browser, server) as page:
            page.locator("#views a", has_text="Label").click()
            expect(page.locator("body")).to_have_attribute("data-state", "row")
            expect(page.locator("#views a")).to_contain_text(["Adjudicate"])


@pytest.mark.parametrize("locale", ["en-US", pytest.param("ko-KR", marks=pytest.mark.soak)])
def test_on_a_phone_all_can_be_done_by_thumb(browser: Browser, tmp_path: Path, locale: str) -> None:
    looks: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "locale": locale}
    looks |= {"has_touch": True, "is_mobile": True}
    texts = ["w" * 3000, *TEXTS]
    with disputed(tmp_path, texts=texts) as server, opened(browser, server, **looks) as page:
        expect(page.locator("#votes li")).to_have_count(2)
        for step in ("#labels", "#causes"):
            for button in page.locator("button:visible").all():
                box = button.bounding_box()
                assert box is not None
                assert box["height"] >= 44, button.text_content()
            page.locator(f"{step} button").first.tap()
        expect(page.locator("#text")).to_have_text(TEXTS[0])
        page.locator("#open-guide").tap()
        expect(page.locator("#guide-text")).to_be_visible()
        page.locator("#close-guide").tap()
        done = "11개 남음 · 1개 판정" if locale == "ko-KR" else "11 open · 1 decided"
        expect(page.locator("#counts")).to_have_text(done)


def test_no_serious_finding_on_any_state_of_the_screen(browser: Browser, tmp_path: Path) -> None:
    with disputed(tmp_path, disputes=1) as server, opened(browser, server) as page:
        shows(page, 0)
        assert serious_findings(page) == []
        page.keyboard.press("1")
        assert serious_findings(page) == []
        page.keyboard.press("1")
        expect(page.locator("body")).to_have_attribute("data-state", "empty")
        assert serious_findings(page) == []
        page.keyboard.press("h")
        assert serious_findings(page) == []
