"""The demo page beside its answer: a candidate, the words that carried it, right or wrong, links."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.problem.decision import Decision
from pipeline.runtime.task import Task
from pipeline.serving.demo_routes import DemoExtras
from pipeline.serving.hot_swap import open_model
from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture, open_page
from tests.support.server import holder_of
from tests.support.threaded_server import serve_holder
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bundles, and a page that stands for the version for a browser."""
    folder = tmp_path_factory.mktemp("extras")
    make_tiny_bundle(folder / "champion")
    # Never sure enough: it leans to the same labels and says so.
    doubting = tiny_task(decision=Decision(abstain_below=1.0))
    make_tiny_bundle(folder / "candidate", task=doubting, seed=3)
    (folder / "edge").mkdir()
    (folder / "edge" / "index.html").write_text("<!doctype html><title>In your browser</title>")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    holder = holder_of(folder / "champion")
    holder.candidate = open_model(folder / "candidate")
    extras = DemoExtras(feedback=folder / "feedback.jsonl", browser=folder / "edge")
    with serve_holder(holder, extras=extras) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with open_page(browser, url, unreported="Failed to load") as page:
        yield page


def plain_page(browser: Browser, folder: Path, task: Task) -> Iterator[Page]:
    make_tiny_bundle(folder / "bundle", task=task)
    with serve_holder(holder_of(folder / "bundle")) as address, open_page(browser, address) as page:
        yield page


def test_the_candidate_answers_beside_the_champion_and_the_page_says_whether_they_agree(
    page: Page,
) -> None:
    expect(page.locator("#answer-title")).to_have_text("Champion")
    page.locator("#text").fill("a warm funny film")
    expect(page.locator("#verdict")).to_have_text("Positive")
    expect(page.locator("#candidate-verdict")).to_have_text("Not sure")
    expect(page.locator("#candidate-bars li")).to_have_count(2)
    expect(page.locator("#candidate-time")).to_contain_text("ms")
    expect(page.locator("#agrees")).to_have_text("Both give the same answer.")
    page.locator("#text").fill("")
    expect(page.locator("#candidate-verdict")).to_have_text("Waiting")
    expect(page.locator("#agrees")).to_be_empty()


def test_a_candidate_that_cannot_answer_leaves_the_champions_answer(page: Page) -> None:
    page.route("**/predict?model=candidate", lambda route: route.abort())
    page.locator("#text").fill("a warm funny film")
    expect(page.locator("#candidate-verdict")).to_have_text("No answer")
    expect(page.locator("#verdict")).to_have_text("Positive")


def test_words_that_carried_the_answer_are_marked_and_named_by_keyboard_alone(page: Page) -> None:
    page.locator("#text").fill("the good warm film is not awful")
    expect(page.locator("#verdict")).to_have_text("Positive")
    page.locator("#explain").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#carried-note")).to_contain_text("“awful”")
    expect(page.locator("#marked")).to_have_text("the good warm film is not awful")
    strongest = page.locator("#marked span").evaluate_all(
        """spans => spans.map(span => [span.textContent, span.className,
                                       parseFloat(span.style.getPropertyValue("--share"))])"""
    )
    told = {word: (kind, share) for word, kind, share in strongest}
    assert told["awful"] == ("against", 60)
    assert [told[word][0] for word in ("good", "warm")] == ["carries", "carries"]
    assert told["film"][1] < told["good"][1]
    expect(page.locator("#live")).to_contain_text("Spoke against it most: “awful”")


def test_a_change_of_the_text_ends_the_explanation(page: Page) -> None:
    page.locator("#text").fill("the good warm film")
    expect(page.locator("#more")).to_be_visible()
    page.route("**/predict", lambda route: None)
    with page.expect_event("requestfailed") as ended:
        page.locator("#explain").click()
        page.locator("#text").press_sequentially("s")
    assert "texts" in json.loads(ended.value.post_data or "{}")
    expect(page.locator("#carried")).to_be_hidden()
    page.unroute("**/predict")


def test_a_long_text_is_left_out_in_at_most_48_parts(page: Page) -> None:
    sent: list[int] = []
    page.locator("#text").fill(" ".join(["good"] * 500))
    expect(page.locator("#more")).to_be_visible()
    page.on(
        "request",
        lambda request: sent.append(len(json.loads(request.post_data or "{}").get("texts", ()))),
    )
    page.locator("#explain").click()
    expect(page.locator("#marked span")).to_have_count(46)
    assert sum(sent) == 46
    assert max(sent) <= 12


def test_a_single_word_has_nothing_to_leave_out(page: Page) -> None:
    page.locator("#text").fill("good")
    page.locator("#explain").click()
    expect(page.locator("#carried-note")).to_have_text("There is no word to leave out.")


@pytest.mark.parametrize(
    ("task", "texts", "said"),
    [
        (tiny_task(pairs=True), ("the film", "a warm film"), "Carried it most: “warm”"),
        (tiny_task("multi_label"), ("warm awful film",), "Carried it most:"),
        (tiny_task("regression"), ("a warm film",), "Raised it most: “warm”"),
    ],
    ids=["pairs", "several labels", "number"],
)
def test_every_problem_has_its_words(
    browser: Browser, tmp_path: Path, task: Task, texts: tuple[str, ...], said: str
) -> None:
    for page in plain_page(browser, tmp_path, task):
        for box, text in zip(("#text", "#second"), texts, strict=False):
            page.locator(box).fill(text)
        page.locator("#explain").click()
        expect(page.locator("#carried-note")).to_contain_text(said)
        expect(page.locator("#marked p")).to_have_count(len(texts))
        expect(page.locator("#verdicts")).to_be_hidden()
        expect(page.locator("#candidate")).to_be_hidden()
        expect(page.locator("#browser-link")).to_be_hidden()
        expect(page.locator("#stored")).to_contain_text("It is not stored")


def test_a_verdict_is_kept_once_and_said_to_be_kept(page: Page, folder: Path) -> None:
    file = folder / "feedback.jsonl"
    expect(page.locator("#stored")).to_contain_text("stored if you press Right or Wrong")
    page.locator("#text").fill("the warm film")
    expect(page.locator("#more")).to_be_visible()
    assert not file.exists()
    page.get_by_role("button", name="Wrong").click()
    expect(page.locator("#kept")).to_contain_text("Kept with your text")
    expect(page.get_by_role("button", name="Right")).to_be_disabled()
    (line,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert (line["text"], line["answer"], line["verdict"]) == ("the warm film", "positive", "wrong")
    page.locator("#text").fill("the warm film again")
    expect(page.get_by_role("button", name="Right")).to_be_enabled()
    expect(page.locator("#kept")).to_be_empty()


def test_what_is_not_kept_is_said_with_the_reason(page: Page) -> None:
    page.locator("#text").fill("the warm film")
    page.route(
        "**/feedback?**",
        lambda route: route.fulfill(
            status=507, json={"error": {"got": "a full file", "next_step": "move it away"}}
        ),
    )
    page.get_by_role("button", name="Right").click()
    expect(page.locator("#kept")).to_have_text("Not kept: a full file. What to do: move it away.")
    expect(page.get_by_role("button", name="Right")).to_be_enabled()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Model card", "Tiny model"),
        ("Certificate", "model.onnx"),
        ("Run it in your browser", "In your browser"),
    ],
)
def test_links_lead_to_card_certificate_and_browser_version(
    page: Page, name: str, said: str
) -> None:
    page.get_by_role("link", name=name).click()
    page.wait_for_url(lambda address: address.removesuffix("/").count("/") > 2)
    assert said in page.content()
    page.go_back()
    expect(page.locator("#examples button")).to_have_count(3)


def test_no_serious_finding_with_everything_open(page: Page) -> None:
    page.locator("#text").fill("the good warm film is not awful")
    expect(page.locator("#agrees")).not_to_be_empty()
    page.locator("#explain").click()
    expect(page.locator("#marked span")).to_have_count(7)
    assert serious_findings(page) == []


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_width_scrolls_sideways_with_everything_open(
    browser: Browser, url: str, width: int
) -> None:
    with open_page(browser, url, width=width, reduced_motion="reduce") as page:
        page.locator("#text").fill("good " + "w" * 120 + " awful")
        expect(page.locator("#agrees")).not_to_be_empty()
        page.locator("#explain").click()
        expect(page.locator("#marked span")).to_have_count(3)
