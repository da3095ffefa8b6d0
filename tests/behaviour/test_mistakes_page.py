"""The screen of the model's mistakes in a real browser: filters, keys, what is sent; and who may open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import serious_findings
from tests.support.answered_rows import AnsweredRow, write_answered
from tests.support.browser import browser_fixture
from tests.support.labelling import LABELS, LabelServer, label_server, logged, make_project

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

COMPLAINT, QUESTION = LABELS
ODD = "<script>document.title = 'taken'</script> שלום"
LONG = "A very long letter. " * 400
ROWS = [
    AnsweredRow(number=101, label=COMPLAINT, answer=QUESTION, text=ODD, slices=("with negation",)),
    AnsweredRow(number=102, label=QUESTION, answer=COMPLAINT, confidence=0.62, source="web"),
    AnsweredRow(number=103, label=COMPLAINT, answer=QUESTION, confidence=0.8, text=LONG),
    *(AnsweredRow(number=200 + n, label=LABELS[n % 2], answer=LABELS[n % 2]) for n in range(40)),
]
MORE = [
    AnsweredRow(number=300 + n, label=QUESTION, answer=COMPLAINT, confidence=0.55, text=f"mail {n}")
    for n in range(30)
]


@contextmanager
def served(
    root: Path, rows: list[AnsweredRow], people: str = "lee:lead,ann"
) -> Iterator[LabelServer]:
    make_project(root, ["a text without a label"])
    write_answered(root, rows)
    with label_server(root, people) as server:
        yield server


@contextmanager
def opened(
    browser: Browser, server: LabelServer, who: str = "lee", **looks: object
) -> Iterator[Page]:
    """The screen in a context of its own; fails at the end where it reported a problem or scrolls sideways."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(server.links[who].replace("/#", "/mistakes#"))
    yield page
    hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    context.close()
    assert [text for text in problems if "Failed to load" not in text] == []
    assert hidden <= 0


def rows(page: Page) -> list[str]:
    found = page.locator("#rows > li").evaluate_all("rows => rows.map(row => row.dataset.row)")
    return [str(row) for row in found]


def test_filters_leave_what_is_wanted(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ROWS) as server, opened(browser, server) as page:
        expect(page.locator("#found")).to_have_text("3 rows")
        assert rows(page) == [row.id for row in (ROWS[0], ROWS[2], ROWS[1])]
        expect(page.locator("#rows > li").first).to_contain_text(ODD)
        for field, choice, left in (
            ("#pair", "complaint → question (2)", [ROWS[0].id, ROWS[2].id]),
            ("#slice", "with negation (1)", [ROWS[0].id]),
            ("#source", "web (1)", [ROWS[1].id]),
            ("#confidence", "70–90 %", [ROWS[0].id, ROWS[2].id]),
        ):
            page.locator(field).select_option(choice)
            expect(page.locator("#rows > li")).to_have_count(len(left))
            assert rows(page) == left
            page.locator(field).select_option("All")
            expect(page.locator("#rows > li")).to_have_count(3)
        page.locator("#source").select_option("web (1)")
        page.locator("#slice").select_option("with negation (1)")
        expect(page.locator("#found")).to_have_text("No row fits.")


def test_keys_walk_send_and_take_back(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ROWS) as server, opened(browser, server) as page:
        expect(page.locator("#rows > li")).to_have_count(3)
        for key in "jjk":
            page.keyboard.press(key)
        first = page.locator("#rows > li").first
        expect(first).to_be_focused()
        page.keyboard.press("q")
        expect(first.locator(".ask")).to_have_text("Asked again")
        sent = [(kept.event.event, kept.event.why) for kept in logged(tmp_path)]
        assert sent == [("queue", "error"), ("queue", "control")]
        page.keyboard.press("q")
        expect(first.locator(".ask")).to_have_text("Ask again")
        assert [kept.event.event for kept in logged(tmp_path)][2:] == ["undo", "undo"]


def test_more_rows_come_by_key_and_by_button(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, [*ROWS, *MORE]) as server, opened(browser, server) as page:
        expect(page.locator("#rows > li")).to_have_count(20)
        page.locator("#more").click()
        expect(page.locator("#rows > li")).to_have_count(33)
        expect(page.locator("#rows > li").nth(20)).to_be_focused()
        expect(page.locator("#more")).to_be_hidden()


def test_annotators_have_no_link_to_it_and_are_refused(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ROWS) as server, opened(browser, server, "ann") as page:
        expect(page.locator("#alarm")).to_contain_text("adjudicator")
        expect(page.locator("#views")).not_to_contain_text("Mistakes")
        assert rows(page) == []


def test_it_is_there_in_korean(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ROWS) as server, opened(browser, server, locale="ko-KR") as page:
        expect(page.locator("h1")).to_have_text("오답")
        expect(page.locator("#rows .ask").first).to_have_text("다시 묻기")


def test_no_serious_accessibility_finding(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ROWS) as server, opened(browser, server) as page:
        expect(page.locator("#rows > li")).to_have_count(3)
        page.locator("#rows .ask").first.click()
        expect(page.locator("#rows .ask").first).to_have_text("Asked again")
        for summary in page.locator("summary").all():
            summary.click()
        assert serious_findings(page) == []
