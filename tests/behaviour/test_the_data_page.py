"""The page of the data report in a browser: readable on a phone and on a desk, by day and by night."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import browser_fixture
from tests.support.problems import product_of
from tests.support.small_reviews import CORPUS, ROWS, validated

pytestmark = pytest.mark.browser
__all__ = ["browser_fixture"]

LABELS = ["배송이 너무 늦어서 환불을 요청하는 문의입니다", "a-label-of-one-long-word-" * 4]


@pytest.fixture(name="report", scope="module")
def report_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a product with long labels, and rows that name groups of people under one of them."""
    names = dict(zip(("negative", "positive"), LABELS, strict=True))
    rows = [*((text, names[name]) for text, name in ROWS), ("ok", LABELS[0])]
    who = ("the grandmother", "her girlfriend", "a lady", "herself")
    rows += [(f"{who[n % 4]} saw film number {n} twice {'so ' * n}", LABELS[1]) for n in range(16)]
    changes = product_of(labels=f"[{', '.join(LABELS)}]")
    root = tmp_path_factory.mktemp("report")
    return validated(root, rows, *changes, corpus=[*CORPUS, "ok"]).out / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_its_window_and_reports_no_problem(
    browser: Browser, report: Path, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.goto(report.as_uri())
    hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    paper = page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
    tables = page.locator(".scroll").evaluate_all(
        "nodes => nodes.map(node => node.scrollWidth - node.clientWidth)"
    )
    shown = page.locator(".bars bdi").all_inner_texts()
    page.close()
    assert problems == []
    assert hidden <= 0
    assert max(tables) <= 0
    assert paper == {"light": "rgb(245, 245, 242)", "dark": "rgb(20, 22, 26)"}[scheme]
    assert set(LABELS) <= set(shown)
