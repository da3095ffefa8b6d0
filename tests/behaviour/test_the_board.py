"""The board in a real browser, over a real server: figures, the rows behind them, and who may see what."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.labelling import LabelServer, label_server, make_project, post, row_id, vote

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

LABELS = ("complaint", "question", "praise")
TEXTS = [f"<b>Text</b> number {number}." for number in range(80)]
PLACE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelServer]:
    """Three people have labelled 60 rows each; lea is the lead, cho always says the same."""
    root = make_project(tmp_path_factory.mktemp("board"), TEXTS, labels=LABELS)
    with label_server(root, "lea:lead,bob,cho") as server:
        for name, given in (("lea", 0), ("bob", 7), ("cho", None)):
            with server.client(name) as client:
                post(client, *(_vote(name, number, given) for number in range(60)))
                flag = {"uid": f"{name}f", "event": "flag", "row": row_id(3)}
                post(client, flag, {"uid": f"{name}s", "event": "skip", "row": row_id(70)})
        yield server


def _vote(name: str, number: int, given: int | None) -> dict[str, Any]:
    """The text's own label; another one at each `given`th text, or always the first."""
    errs = given and number % given == 0
    label = LABELS[0 if given is None else (number + bool(errs)) % 3]
    guide = ("a" if number < 30 else "b") * 64
    return vote(f"{name}{number}", row_id(number), label, seconds=3.0, why="random", guide=guide)


@contextmanager
def board(browser: Browser, server: LabelServer, name: str, **looks: Any) -> Iterator[Page]:
    """The board of a person; fails at the end where it reported a problem or scrolls sideways."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    url, _, token = server.links[name].partition("#")
    page.goto(f"{url.rstrip('/')}/board#{token}")
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
    yield page
    hidden = page.evaluate(PLACE)
    context.close()
    assert problems == []
    assert hidden <= 0


def test_figures_are_shown_with_intervals_and_each_opens_its_rows(
    browser: Browser, server: LabelServer
) -> None:
    with board(browser, server, "lea") as page:
        expect(page.locator("#overall .figures")).to_have_count(3)
        expect(page.locator("#by-label .figures")).to_have_count(3)
        expect(page.locator("#by-guide .figures")).to_have_count(2)
        expect(page.locator("#people .figures")).to_have_count(3)
        expect(page.locator("#goal")).to_contain_text("not known yet")
        expect(page.locator("#pace")).to_have_text(
            "3.0 s a label (3.0 to 3.0), the median of 180 labels"
        )
        page.locator("#counts button", has_text="disputed").click()
        found = int(
            page.locator("#counts button", has_text="disputed").locator("strong").inner_text()
        )
        expect(page.locator("#found")).to_have_text(f"{found} rows")
        expect(page.locator("#row-list li")).to_have_count(20)
        expect(page.locator("#row-list .text").first).to_have_text(TEXTS[0])
        page.locator("#more-rows").click()
        expect(page.locator("#row-list li")).to_have_count(40)
        page.locator("#filter select[name=kind]").select_option("flagged")
        expect(page.locator("#found")).to_have_text("1 rows")
        expect(page.locator("#row-list")).to_contain_text("flagged by p1, p2, p3")
        page.keyboard.press("Escape")
        expect(page.locator("#rows")).not_to_be_visible()


def test_a_cell_of_two_people_opens_the_rows_that_they_labelled_so(
    browser: Browser, server: LabelServer
) -> None:
    with board(browser, server, "lea") as page:
        page.locator("#pair").select_option("p1 p2")
        cell = page.get_by_role("button", name="complaint and question:")
        expect(cell).to_have_count(1)
        expect(page.locator("#matrix-lead")).to_contain_text("labels of p1")
        count = int(cell.inner_text())
        cell.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#found")).to_have_text(f"{count} rows")
        for row in page.locator("#row-list .votes").all():
            expect(row).to_contain_text("p1: complaint")
            expect(row).to_contain_text("p2: question")


def test_another_measure_is_chosen_for_labels_and_guides(
    browser: Browser, server: LabelServer
) -> None:
    with board(browser, server, "lea") as page:
        before = page.locator("#by-label").inner_text()
        page.get_by_role("button", name="Gwet's AC1", exact=True).click()
        assert page.locator("#by-label").inner_text() != before
        expect(page.get_by_role("button", name="Gwet's AC1", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_annotators_see_their_own_pace_alone(
    browser: Browser, server: LabelServer, locale: str
) -> None:
    with board(browser, server, "bob", locale=locale) as page:
        expect(page.locator("#own")).to_contain_text("60")
        expect(page.locator("#all")).not_to_be_visible()
        assert page.title() == {"en-US": "Your pace", "ko-KR": "내 속도"}[locale]


def test_the_lead_comes_to_the_board_from_the_label_page_and_back(
    browser: Browser, server: LabelServer
) -> None:
    page = browser.new_page()
    page.goto(server.links["lea"])
    page.get_by_role("link", name="Board").click()
    expect(page.locator("body")).to_have_attribute("data-state", "ready", timeout=20_000)
    page.get_by_role("link", name="Label").click()
    expect(page.locator("#text")).to_have_text(TEXTS[60])
    page.close()


def test_without_a_valid_link_the_board_says_what_to_do(
    browser: Browser, server: LabelServer
) -> None:
    page = browser.new_page()
    page.goto(f"{server.links['lea'].partition('#')[0].rstrip('/')}/board#wrong")
    expect(page.locator("#state")).to_contain_text("modelyard annotate")
    page.close()


@pytest.mark.parametrize(
    "state",
    ["figures", *(pytest.param(each, marks=pytest.mark.soak) for each in ("rows", "own pace"))],
)
def test_no_serious_finding_of_accessibility(
    browser: Browser, server: LabelServer, state: str
) -> None:
    with board(browser, server, "bob" if state == "own pace" else "lea") as page:
        if state == "rows":
            page.locator("#counts button").first.click()
            expect(page.locator("#row-list li")).to_have_count(20)
        assert serious_findings(page) == []


def test_on_a_phone_nothing_scrolls_sideways_and_buttons_are_large(
    browser: Browser, server: LabelServer
) -> None:
    looks: dict[str, Any] = {
        "viewport": {"width": 360, "height": 640},
        "has_touch": True,
        "is_mobile": True,
    }
    with board(browser, server, "lea", **looks) as page:
        for button in page.locator("main button:visible, main select:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 44, button.text_content()
        page.locator("#counts button").first.tap()
        expect(page.locator("#row-list li").first).to_be_visible()
