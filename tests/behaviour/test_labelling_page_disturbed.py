"""The annotation page where things go wrong around it: network, disk, clock, other people, long sessions."""

import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser_fixture
from tests.support.label_tab import TEXTS, opened, ready, saved, served, tab
from tests.support.labelling import (
    LABELS,
    PRODUCT,
    label_server,
    logged,
    make_project,
    row_id,
    standing,
)
from tests.support.server import wait_until
from tests.support.small_disk import small_disk

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

SLOW = {"offline": False, "latency": 1500, "downloadThroughput": 20_000, "uploadThroughput": 10_000}
"""A second and a half each way round, twenty kilobytes a second."""
HEAP_GROWTH = 2_000_000
"""Bytes by which a page may grow between 500 and 2,000 labels of texts of 4 kB."""


def test_on_a_slow_network_each_key_still_shows_the_next_text_at_once(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        _network(page, **SLOW)
        shown = page.evaluate(
            """() => { const shown = [];
            for (let press = 0; press < 15; press++) {
              document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "Digit1", key: "1", bubbles: true}));
              shown.push(document.querySelector("#text").textContent);
            } return shown }"""
        )
        assert shown == TEXTS[1:16]
        expect(page.locator("#saved")).to_have_attribute("data-state", "saving")
        saved(page)
        assert standing(tmp_path) == {row_id(number): LABELS[:1] for number in range(15)}


@pytest.mark.soak
def test_where_texts_come_too_slowly_the_page_says_so_and_not_that_nothing_waits(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        _network(page, **SLOW)
        assert _press_until_no_text(page) == ["loading", "One moment …"]
        expect(page.locator("body")).to_have_attribute("data-state", "row", timeout=30_000)


def test_where_the_server_is_gone_and_no_text_is_left_the_page_says_so(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server:
        page = tab(browser.new_context(), server.links["ann"])
        server.kill()
        _press_until_no_text(page)
        expect(page.locator("#saved")).to_have_attribute("data-state", "away")
        expect(page.locator("#text")).to_contain_text("cannot be reached")
        page.keyboard.press("u")
        ready(page)
        page.context.close()


def test_texts_come_again_by_themselves_once_the_server_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    make_project(tmp_path, TEXTS)
    with label_server(tmp_path) as server:
        page = tab(browser.new_context(), server.links["ann"])
        port = server.port
        server.kill()
        _press_until_no_text(page)
    with label_server(tmp_path, port=port):
        expect(page.locator("body")).to_have_attribute("data-state", "row", timeout=20_000)
        saved(page)
        page.context.close()


def test_a_full_disk_is_said_and_what_was_answered_is_saved_once_there_is_room(
    browser: Browser, tmp_path: Path
) -> None:
    make_project(tmp_path, TEXTS)
    folder = tmp_path / ".modelyard" / "annotation" / PRODUCT
    with small_disk(folder, kilobytes=64) as disk, label_server(tmp_path) as server:
        room = folder / "filling"
        with opened(browser, server.links["ann"]) as page:
            page.keyboard.press("1")
            saved(page)
            _fill(room)
            for _ in range(100):
                page.keyboard.press("2")
            expect(page.locator("#alarm")).to_contain_text("cannot save")
            expect(page.locator("#saved")).to_contain_text("kept here")
            before = len(logged(tmp_path))
            disk.grow()
            saved(page)
            expect(page.locator("#alarm")).to_be_hidden()
            assert before < len(logged(tmp_path)) == len(standing(tmp_path)) > 40


def test_a_comment_that_ends_in_half_an_emoji_is_saved_and_stops_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        page.keyboard.press("c")
        page.locator("#note-text").evaluate("node => { node.value = 'strange \\ud83d' }")
        page.keyboard.press("Control+Enter")
        page.keyboard.press("1")
        saved(page)
        assert logged(tmp_path)[0].event.comment == "strange \ufffd"


@pytest.mark.soak
def test_two_people_who_label_at_once_get_rows_of_their_own(
    browser: Browser, tmp_path: Path
) -> None:
    make_project(tmp_path, TEXTS)
    with (
        label_server(tmp_path, "ann,bob") as server,
        opened(browser, server.links["ann"]) as ann,
        opened(browser, server.links["bob"]) as bob,
    ):
        for _ in range(40):
            for page, key in ((ann, "1"), (bob, "2")):
                page.keyboard.press(key)
        saved(ann)
        saved(bob)
        of_ann, of_bob = standing(tmp_path, "p1"), standing(tmp_path, "p2")
        assert (len(of_ann), len(of_bob)) == (40, 40)
        assert not of_ann.keys() & of_bob.keys()
        assert {*of_ann.values()} == {LABELS[:1]}
        assert {*of_bob.values()} == {LABELS[1:]}


@pytest.mark.soak
@pytest.mark.parametrize("jump", [-86_400_000, 86_400_000], ids=["a day back", "a day on"])
def test_a_clock_that_is_set_while_labelling_changes_no_order(
    browser: Browser, tmp_path: Path, jump: int
) -> None:
    make_project(tmp_path, TEXTS)
    with label_server(tmp_path) as server:
        port, page = server.port, tab(browser.new_context(), server.links["ann"])
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        server.kill()
        page.keyboard.press("1")
        page.keyboard.press("1")
        page.evaluate(f"() => {{ const now = Date.now; Date.now = () => now() + {jump} }}")
        page.keyboard.press("u")
        page.keyboard.press("2")
        page.reload()
        ready(page)
        expect(page.locator("#text")).to_have_text(TEXTS[2])
    with label_server(tmp_path, port=port):
        saved(page)
        assert standing(tmp_path) == {row_id(0): LABELS[:1], row_id(1): LABELS[1:]}
        page.context.close()


@pytest.mark.soak
def test_undoes_in_quick_succession_go_back_to_the_beginning_of_a_long_session(
    browser: Browser, tmp_path: Path
) -> None:
    texts = [f"Text number {number}." for number in range(620)]
    with served(tmp_path, texts) as server, opened(browser, server.links["ann"]) as page:
        _label(page, 600)  # more than the page keeps
        page.evaluate(
            """() => { for (let press = 0; press < 590; press++)
            document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "KeyU", key: "u", bubbles: true})) }"""
        )
        expect(page.locator("#text")).to_have_text(texts[10], timeout=20_000)
        saved(page)
        assert {*standing(tmp_path)} == {row_id(number) for number in range(10)}


@pytest.mark.soak
def test_a_page_does_not_grow_over_a_long_session(browser: Browser, tmp_path: Path) -> None:
    texts = [f"{number} {uuid.UUID(int=number)} {'lorem ipsum ' * 330}" for number in range(2100)]
    with served(tmp_path, texts) as server, opened(browser, server.links["ann"]) as page:
        _label(page, 500)
        before = _heap(page)
        _label(page, 1500)
        wait_until(lambda: _heap(page) - before < HEAP_GROWTH)  # answers of the network end first
        expect(page.locator("#counts")).to_contain_text("2,000 done")
        assert len(standing(tmp_path)) == 2000


def _press_until_no_text(page: Page) -> list[str]:
    """Labels what is there; returns the state of the page after that, and what it says."""
    found: list[str] = page.evaluate(
        """async () => { while (document.body.dataset.state === "row") {
          document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "Digit1", key: "1", bubbles: true}));
          await null;
        }
        return [document.body.dataset.state, document.querySelector("#text").textContent]; }"""
    )
    return found


def _label(page: Page, count: int) -> None:
    """Labels so many texts, each once it is there, and waits until they are saved."""
    page.evaluate(
        """async (count) => { for (let done = 0; done < count;) {
          if (document.body.dataset.state === "row") {
            document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "Digit1", key: "1", bubbles: true}));
            done += 1;
          }
          if (done % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
        } }""",
        count,
    )
    saved(page)


def _heap(page: Page) -> int:
    """Bytes of the page's objects that are still in use."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


def _network(page: Page, **conditions: object) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", {**conditions})


def _fill(path: Path) -> None:
    """Leaves no room for a new block on the disk of a path."""
    with suppress(OSError), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)
