"""The guide in a real browser: read, edited with a reason, refused where it changed, and votes that come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

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
    standing,
    vote,
)

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

GUIDE = """# Letters

## complaint

Something went wrong. <script>document.title = 'taken'</script>

### Examples that are

- Three weeks, and <b>no</b> reply.

## question

The writer asks.

## Hard cases
"""
LATE_BUS = "A late bus is a complaint, too."
TEXTS = ["The bus was late again.", "The bin is full.", *(f"text {n}" for n in range(2, 60))]


@contextmanager
def town(root: Path, guide: str = GUIDE) -> Iterator[LabelServer]:
    """A server of ann, who labels, and lee, the lead."""
    make_project(root, TEXTS)
    if guide:
        (root / "annotations" / "guide.md").write_text(guide, encoding="utf-8")
    with label_server(root, "ann,lee:lead") as server:
        yield server


@contextmanager
def opened(browser: Browser, link: str, path: str = "/", **looks: Any) -> Iterator[Page]:
    """A screen in a context of its own; fails at the end where it reported a problem or scrolls sideways."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(link.replace("/#", f"{path}#"))
    expect(page.locator("body")).not_to_have_attribute("data-state", "loading")
    yield page
    wide = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    context.close()
    assert [text for text in problems if "Failed to load" not in text] == []
    assert wide <= 0


def edited(page: Page, old: str, new: str) -> None:
    """Opens the editor, replaces a part of the text and asks what changes."""
    page.locator("#edit").click()
    source = page.locator("#source")
    source.fill(source.input_value().replace(old, new))
    page.locator("#editor [type=submit]").click()


def saved(page: Page, why: str) -> None:
    page.locator("#why").fill(why)
    page.keyboard.press("Enter")


def test_an_edit_shows_what_changes_asks_why_and_brings_near_votes_back(
    browser: Browser, tmp_path: Path
) -> None:
    with town(tmp_path) as server:
        with server.client("ann") as ann:
            digest = ann.get("/api/me").json()["guide"]["hash"]
            post(ann, *(vote(f"u{n}", row_id(n), "complaint", guide=digest) for n in range(3)))
        with (
            opened(browser, server.links["ann"]) as label,
            opened(browser, server.links["lee"], "/guide") as page,
        ):
            expect(label.locator("#text")).to_have_text("text 3")
            edited(page, "went wrong.", f"went wrong. {LATE_BUS}")
            expect(page.locator("#diff .added")).to_contain_text(LATE_BUS)
            expect(page.locator("#about")).to_have_text("About: complaint")
            page.locator("#saving [type=submit]").click()  # without a reason nothing is saved
            expect(page.locator("#saving")).to_be_visible()
            saved(page, "Buses were not in it")
            votes = page.locator("#votes")
            expect(votes).to_have_text(
                "Votes given under the old rule: 3. Near the change: 1. Offer these again?"
            )
            expect(page.locator("#result-title")).to_be_focused()
            page.locator("#offer").click()
            expect(votes).to_contain_text("Votes offered again: 1. Without an answer yet: 1")
            label.keyboard.press("2")  # the answer to this brings the newer guide
            expect(label.locator("#live")).to_have_text("The guide has changed.")
            expect(label.locator("#guide-text")).to_contain_text(LATE_BUS)
            label.reload()
            expect(label.locator("#text")).to_have_text(TEXTS[0])
            expect(label.locator("#place")).to_contain_text("You gave this text: complaint")
            first = label.locator("#labels button").first
            expect(first).to_have_attribute("aria-pressed", "true")
            expect(label.locator("#counts")).to_contain_text("4 done")
            label.keyboard.press("1")
            expect(label.locator("#text")).to_have_text("text 4")
            expect(label.locator("#place")).to_be_hidden()
            expect(label.locator("#saved")).to_have_attribute("data-state", "saved")
            expect(label.locator("#counts")).to_contain_text("4 done")
            page.locator("#leave").click()
            page.locator("#versions button").first.click()
            expect(page.locator("#version-votes")).to_contain_text("Without an answer yet: 0")
        answers = [kept.event for kept in logged(tmp_path) if kept.event.row == row_id(0)]
        assert [(event.why, event.labels) for event in answers][1:] == [("guide", LABELS[:1])]
        assert answers[0].guide != answers[1].guide


def test_an_undo_of_an_offered_answer_gives_the_old_one_back(
    browser: Browser, tmp_path: Path
) -> None:
    with town(tmp_path) as server:
        with server.client("ann") as ann, server.client("lee") as lee:
            post(ann, vote("u0", row_id(0), "complaint"))
            guide = lee.get("/api/guide").json()
            text = f"{guide['text']}- {LATE_BUS}\n"
            edit = {"text": text, "base": guide["hash"], "why": "buses"}
            version = lee.post("/api/guide", json=edit).json()["version"]["hash"]
            assert lee.post("/api/guide/offers", json={"version": version}).json()["added"] == 1
        with opened(browser, server.links["ann"]) as page:
            expect(page.locator("#place")).to_contain_text("complaint")
            page.keyboard.press("2")
            expect(page.locator("#text")).to_have_text(TEXTS[1])
            page.keyboard.press("u")
            expect(page.locator("#text")).to_have_text(TEXTS[0])
            expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
            assert standing(tmp_path) == {row_id(0): LABELS[:1]}
            page.reload()
            expect(page.locator("#text")).to_have_text(TEXTS[0])
            expect(page.locator("#place")).to_contain_text("Does that still hold?")


def test_two_edits_at_once_are_both_shown_and_neither_is_lost(
    browser: Browser, tmp_path: Path
) -> None:
    with town(tmp_path) as server, opened(browser, server.links["lee"], "/guide") as page:
        edited(page, "The writer asks.", "The writer asks us.")
        (tmp_path / "annotations" / "guide.md").write_text(f"{GUIDE}\n- By hand.\n", "utf-8")
        saved(page, "clearer")
        expect(page.locator("#theirs .added")).to_contain_text(["By hand."])
        expect(page.locator("#yours .added")).to_contain_text(["The writer asks us."])
        assert serious_findings(page) == []
        page.locator("#go-on").click()
        source = page.locator("#source")
        both = f"{source.input_value()}\n- By hand.\n"
        source.fill(both)
        page.reload()  # the draft is kept in the browser
        expect(source).to_have_value(both)
        page.locator("#editor [type=submit]").click()
        saved(page, "clearer")
        expect(page.locator("#reading")).to_contain_text("The writer asks us.")
        expect(page.locator("#reading")).to_contain_text("By hand.")


def test_a_key_takes_the_text_on_the_screen_into_the_guide(
    browser: Browser, tmp_path: Path
) -> None:
    with town(tmp_path, guide="") as server, opened(browser, server.links["lee"]) as page:
        page.keyboard.press("e")
        expect(page.locator("#example-text")).to_have_text(TEXTS[0])
        assert serious_findings(page) == []
        page.get_by_role("button", name="complaint: is one (0 of 3)").click()
        expect(page.locator("#example")).to_be_hidden()
        expect(page.locator("#guide-text li")).to_have_text([TEXTS[0]])
        page.keyboard.press("1")
        page.keyboard.press("1")
        page.keyboard.press("h")
        page.locator("#history-list button").first.focus()
        page.keyboard.press("e")
        expect(page.locator("#example-text")).to_have_text(TEXTS[1])
        page.get_by_role("button", name="question: is not one (0 of 3)").click()
        page.keyboard.press("Escape")
        expect(page.locator("#guide-text li")).to_have_text([TEXTS[0], TEXTS[1]])
        page.keyboard.press("e")
        page.get_by_role("button", name="complaint: is one (1 of 3)").click()
        expect(page.locator("#guide-text li")).to_have_count(3)
        assert [kept.event.event for kept in logged(tmp_path, "p2")] == ["vote", "vote"]


def test_who_labels_reads_and_does_not_edit(browser: Browser, tmp_path: Path) -> None:
    with town(tmp_path) as server:
        with opened(browser, server.links["ann"], "/guide") as page:
            expect(page.locator("#reading h3")).to_have_text(
                ["complaint", "question", "Hard cases"]
            )
            expect(page.locator("#edit")).to_be_hidden()
            expect(page.locator("#newest")).to_contain_text("by hand")
            assert page.locator("#reading script, #reading b").count() == 0
            assert page.title() == "Guide"
        with opened(browser, server.links["ann"]) as page:
            page.keyboard.press("e")
            expect(page.locator("#example")).to_be_hidden()


def test_no_state_of_the_screen_has_a_serious_finding(browser: Browser, tmp_path: Path) -> None:
    with town(tmp_path) as server, opened(browser, server.links["lee"], "/guide") as page:
        assert serious_findings(page) == []
        edited(page, "went wrong.", f"went wrong. {LATE_BUS}")
        expect(page.locator("#saving")).to_be_visible()
        assert serious_findings(page) == []
        page.locator("#back").click()
        assert serious_findings(page) == []
        page.locator("#editor [type=submit]").click()
        saved(page, "buses")
        expect(page.locator("#result")).to_be_visible()
        assert serious_findings(page) == []
        page.locator("#leave").click()
        page.locator("#versions button").first.click()
        expect(page.locator("#version")).to_be_visible()
        assert serious_findings(page) == []


def test_on_a_phone_nothing_scrolls_sideways_and_buttons_are_large(
    browser: Browser, tmp_path: Path
) -> None:
    looks: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True}
    looks |= {"locale": "ko-KR"}
    guide = GUIDE + "w" * 400
    with (
        town(tmp_path, guide) as server,
        opened(browser, server.links["lee"], "/guide", **looks) as page,
    ):
        edited(page, "The writer asks.", "x" * 300)
        expect(page.locator("#saving")).to_be_visible()
        wide = "node => node.scrollWidth - node.clientWidth"
        assert page.locator("html").evaluate(wide) <= 0
        assert page.locator("main").evaluate(wide) <= 0
        for button in page.locator("button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 48, button.text_content()


def test_without_a_link_the_screen_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with town(tmp_path) as server:
        page = browser.new_context().new_page()
        page.goto(f"{server.links['ann'].partition('#')[0]}guide")
        expect(page.locator("#alarm")).to_contain_text("modelyard annotate")
        page.context.close()
