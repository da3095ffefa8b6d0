"""The first screen in a real browser: gold items by keyboard, the rule after each, then the queue."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.labelling import LABELS, label_server, logged, make_project, row_id, standing

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

GUIDE = "## complaint\n\nSomething went wrong.\n\n## question\n\nThe writer asks.\n"
TEXTS = [f"text {number}" for number in range(40)]


def _gold(root: Path, **answer: Any) -> None:
    """Ten rows as gold items; of one label, texts with an even number are complaints."""
    entries = [
        {"id": row_id(n), "why": f"reason {n}", **(answer or {"label": LABELS[n % 2]})}
        for n in range(10)
    ]
    folder = root / "annotations"
    (folder / "gold.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    (folder / "guide.md").write_text(GUIDE, encoding="utf-8")


def _number(page: Page) -> int:
    return int((page.locator("#text").text_content() or "").removeprefix("text "))


def _answer(page: Page, *, right: bool) -> None:
    """Answers the item on the screen by a key."""
    number = _number(page)
    page.keyboard.press("12"[number % 2 if right else 1 - number % 2])
    expect(page.locator("#told")).to_be_visible()
    expect(page.locator("#why")).to_have_text(f"reason {number}")
    rule = "Something went wrong." if number % 2 == 0 else "The writer asks."
    expect(page.locator("#rules")).to_contain_text(rule)


def test_who_labels_for_the_first_time_learns_on_gold_items_and_then_labels(
    browser: Browser, tmp_path: Path
) -> None:
    make_project(tmp_path, TEXTS)
    _gold(tmp_path)
    with label_server(tmp_path, "ann") as server:
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(server.links["ann"])
        expect(page.locator("#place")).to_contain_text("text 1 of 10")
        assert page.url.startswith(f"{server.links['ann'].partition('/#')[0]}/start#")
        assert serious_findings(page) == []
        for number in range(10):
            _answer(page, right=number >= 3)
            if number == 0:
                expect(page.locator("#verdict")).to_contain_text("The right answer is")
                assert serious_findings(page) == []
            page.keyboard.press("Enter")
        expect(page.locator("#place")).to_contain_text("Once more")
        page.reload()
        expect(page.locator("#place")).to_contain_text("Once more")
        expect(page.locator("#counts")).to_have_text("7 right · 8 of 10 are needed")
        _answer(page, right=True)
        expect(page.locator("#next")).to_contain_text("Begin to label")
        page.keyboard.press("Enter")
        expect(page.locator("body")).to_have_attribute("data-state", "row")
        expect(page.locator("#text")).to_have_text("text 10")  # no gold item
        page.keyboard.press("1")
        expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
        page.context.close()
    assert standing(tmp_path) == {row_id(10): LABELS[:1]}
    assert [kept.event.event for kept in logged(tmp_path)].count("gold") == 11


@pytest.mark.soak
@pytest.mark.parametrize(
    ("problem", "labels", "gold", "keys"),
    [
        ("multi_label", LABELS, {"labels": [*LABELS]}, ("1", "2", "Enter")),
        ("regression", ("stars",), {"number": 3.5, "within": 0.5}, ("4", "Enter")),
    ],
    ids=["several labels", "a number"],
)
def test_gold_items_may_have_several_labels_or_a_number(
    browser: Browser,
    tmp_path: Path,
    problem: str,
    labels: tuple[str, ...],
    gold: dict[str, Any],
    keys: tuple[str, ...],
) -> None:
    make_project(tmp_path, TEXTS, labels=labels, problem=problem)
    _gold(tmp_path, **gold)
    with label_server(tmp_path, "ann") as server:
        page = browser.new_context(locale="ko-KR").new_page()
        page.goto(server.links["ann"])
        expect(page.locator("body")).to_have_attribute("data-state", "row")
        for _ in range(8):
            expect(page.locator("#told")).to_be_hidden()
            for key in keys:
                page.keyboard.press(key)
            expect(page.locator("#told")).to_be_visible()
            expect(page.locator("#verdict")).to_contain_text("맞았습니다")
            page.keyboard.press("Enter")
        expect(page.locator("body")).to_have_attribute("data-state", "row")
        expect(page.locator("#text")).to_have_text("text 10")
        page.context.close()
