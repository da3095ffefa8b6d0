"""The annotation page in a real browser, over a real server: what a hand does is what the log holds."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browser_fixture
from tests.support.label_tab import TEXTS, opened, press, ready, saved, served, tab
from tests.support.labelling import LABELS, label_server, logged, make_project, row_id, standing
from tests.support.server import wait_until

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

ODD = [
    "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>",
    "\u202eright to left\u202c and שלום עולם",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",  # Hangul in single letters
    "word " * 4000,
    "a&amp;b\n\n\tc",
]


def shows(page: Page, number: int) -> None:
    expect(page.locator("#text")).to_have_text(TEXTS[number])


def test_a_hundred_labels_by_keyboard_with_undos_are_what_the_log_holds(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        expected: dict[str, tuple[str, ...]] = {}
        for number in range(100):
            key = ("1", "2", "s")[number % 3 if number % 10 else 0]
            page.keyboard.press(key)
            expected[row_id(number)] = {"1": LABELS[:1], "2": LABELS[1:], "s": ("skip",)}[key]
            shows(page, number + 1)  # a key pressed while no text is on the screen means nothing
        for number in reversed(range(60, 100)):
            page.keyboard.press("u" if number % 2 else "Backspace")
            del expected[row_id(number)]
            shows(page, number)
        for number in range(60, 80):
            page.keyboard.press("2")
            expected[row_id(number)] = LABELS[1:]
            shows(page, number + 1)
        saved(page)
        assert standing(tmp_path) == expected
        page.reload()
        ready(page)
        shows(page, 80)
        expect(page.locator("#counts")).to_contain_text("80 done")
        for _ in range(80):
            page.keyboard.press("u")
        shows(page, 0)
        saved(page)
        assert standing(tmp_path) == {}
        assert {kept.event.event for kept in logged(tmp_path)} == {"vote", "skip", "undo"}


@pytest.mark.parametrize(
    ("label", "skip", "undo"),
    [(("1", 229), ("ㄴ", 229), ("ㅕ", 229)), (("&", 49), ("s", 83), ("u", 85))],
    ids=["Hangul", "AZERTY"],
)
def test_keys_count_by_their_place_whatever_they_write(
    browser: Browser,
    tmp_path: Path,
    label: tuple[str, int],
    skip: tuple[str, int],
    undo: tuple[str, int],
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        for code, (key, number) in [
            ("Digit1", label),
            ("KeyS", skip),
            ("Digit2", label),
            ("KeyU", undo),
        ]:
            press(page, code, key, windowsVirtualKeyCode=number)
        shows(page, 2)
        press(page, "KeyF", "ㄹ")
        expect(page.locator("#flag")).to_have_attribute("aria-pressed", "true")
        press(page, "KeyC", "ㅊ")
        expect(page.locator("#note-dialog")).to_be_visible()
        page.keyboard.type("12 수상하다")  # no label while writing
        page.keyboard.press("Control+Enter")
        expect(page.locator("#note")).to_have_text("12 수상하다")
        press(page, "KeyH", "ㅗ")
        expect(page.locator("#history-list li")).to_have_count(2)
        page.keyboard.press("Escape")
        saved(page)
        assert standing(tmp_path) == {row_id(0): LABELS[:1], row_id(1): ("skip",)}


def test_no_key_counts_while_letters_are_composed_held_down_or_with_control(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        page.evaluate(
            """() => { for (const more of [{isComposing: true}, {repeat: true}, {ctrlKey: true}, {altKey: true}])
            document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "Digit1", key: "1", bubbles: true, ...more})) }"""
        )
        shows(page, 0)
        page.keyboard.press("?")
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("1")
        shows(page, 0)
        page.locator("#labels button").first.click()
        shows(page, 1)


def test_the_next_text_is_there_in_the_same_frame(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        found = page.evaluate(
            """() => { const text = document.querySelector("#text"), seen = [];
            for (let press = 0; press < 5; press++) {
              document.body.dispatchEvent(new KeyboardEvent("keydown", {code: "Digit1", key: "1", bubbles: true}));
              seen.push(text.textContent);
            } return seen }"""
        )
        assert found == TEXTS[1:6]
        expect(page.locator("#text")).to_be_focused()
        expect(page.locator("#live")).to_have_text("complaint. Next text.")


def test_fifty_labels_while_the_server_is_away_and_a_reload_are_saved_once(
    browser: Browser, tmp_path: Path
) -> None:
    make_project(tmp_path, TEXTS)
    with label_server(tmp_path) as server:
        link, port = server.links["ann"], server.port
        context = browser.new_context()
        page = tab(context, link)
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        page.wait_for_function("async () => (await indexedDB.databases()).length")
        for _ in range(3):
            page.keyboard.press("1")
        saved(page)
        server.kill()
        for _ in range(50):
            page.keyboard.press("2")
        expect(page.locator("#saved")).to_contain_text("50 kept here")
        shows(page, 53)
        page.reload()
        ready(page)
        shows(page, 53)
        expect(page.locator("#saved")).to_contain_text("50 kept here")
        page.keyboard.press("u")
        shows(page, 52)
    with label_server(tmp_path, port=port):
        saved(page)
        wait_until(lambda: len(standing(tmp_path)) == 52)
        uids = [kept.event.uid for kept in logged(tmp_path)]
        assert len(uids) == len({*uids}) == 54  # 53 labels and an undo
        page.reload()
        ready(page)
        shows(page, 52)
        context.close()


def test_two_tabs_of_one_person_lose_nothing(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as first:
        second = tab(first.context, server.links["ann"])
        for number in range(20):
            page = (first, second)[number % 2]
            shows(page, number)
            page.keyboard.press(str(number % 2 + 1))
        shows(first, 20)
        shows(second, 20)
        second.keyboard.press("u")
        shows(second, 19)
        second.keyboard.press("1")
        first.keyboard.press("1")
        saved(first)
        saved(second)
        found = standing(tmp_path)
        assert len(found) in (20, 21)
        assert found[row_id(19)] == LABELS[:1]
        expected = {row_id(n): LABELS[n % 2 : n % 2 + 1] for n in range(19)}
        assert {row: found[row] for row in expected} == expected


def test_odd_texts_stay_text(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path, ODD) as server, opened(browser, server.links["ann"]) as page:
        for odd in ODD:
            assert page.locator("#text .part").evaluate("node => node.textContent") == odd
            assert page.locator("#text .part > *").count() == 0
            page.keyboard.press("1")
        expect(page.locator("body")).to_have_attribute("data-state", "empty")
        page.keyboard.press("h")
        expect(page.locator("#history-list li")).to_have_count(len(ODD))
        assert page.locator("#history-list img, #history-list script").count() == 0
        assert page.title() == "Label"


def test_an_earlier_answer_is_looked_at_and_replaced(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as server, opened(browser, server.links["ann"]) as page:
        for _ in range(4):
            page.keyboard.press("1")
        for _ in range(3):
            page.keyboard.press("j")
        shows(page, 1)
        expect(page.locator("#place")).to_contain_text("complaint")
        page.keyboard.press("2")
        shows(page, 4)
        saved(page)
        assert standing(tmp_path)[row_id(1)] == LABELS[1:]
        page.reload()
        ready(page)
        page.keyboard.press("u")  # of the second answer alone
        shows(page, 1)
        expect(page.locator("#place")).to_contain_text("complaint")
        page.keyboard.press("k")
        saved(page)
        assert standing(tmp_path)[row_id(1)] == LABELS[:1]


def test_several_labels_are_chosen_and_sent_with_enter(browser: Browser, tmp_path: Path) -> None:
    project = {"labels": ("angry", "sad", "glad"), "problem": "multi_label"}
    with served(tmp_path, **project) as server, opened(browser, server.links["ann"]) as page:
        for key in ("3", "1", "2", "2", "Enter", "Enter"):
            page.keyboard.press(key)
        saved(page)
        assert standing(tmp_path) == {row_id(0): ("angry", "glad"), row_id(1): ()}
        page.locator("#labels button").nth(1).click()
        page.keyboard.press("Enter")  # presses the button in focus, as everywhere
        page.locator("#next").click()
        shows(page, 3)
        saved(page)
        assert standing(tmp_path)[row_id(2)] == ()


def test_a_number_is_typed_and_sent_with_enter(browser: Browser, tmp_path: Path) -> None:
    project = {"labels": ("stars",), "problem": "regression"}
    with served(tmp_path, **project) as server, opened(browser, server.links["ann"]) as page:
        page.keyboard.press("Enter")
        expect(page.locator("#number")).to_have_attribute("aria-invalid", "true")
        for key in ("4", ".", "5", "6", "Backspace", "Enter"):
            page.keyboard.press(key)
        for key in ("2", "ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        page.locator("#number").fill("-1,25")
        page.keyboard.press("Enter")
        page.keyboard.press("u")
        shows(page, 2)
        saved(page)
        numbers = [kept.event.number for kept in logged(tmp_path) if kept.event.event == "vote"]
        assert numbers == [4.5, 3, -1.25]


def test_both_texts_of_a_pair_are_shown_side_by_side_where_there_is_room(
    browser: Browser, tmp_path: Path
) -> None:
    second = [f"Answer {number}." for number in range(len(TEXTS))]
    with served(tmp_path, second=second) as server:
        for width, rows in ((1280, 1), (360, 2)):
            looks = {"viewport": {"width": width, "height": 740}}
            with opened(browser, server.links["ann"], **looks) as page:
                parts = page.locator("#text .part")
                expect(parts).to_have_text([TEXTS[0], second[0]])
                top = "node => node.getBoundingClientRect().top"
                assert len({part.evaluate(top) for part in parts.all()}) == rows


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_on_a_phone_nothing_scrolls_sideways_and_buttons_are_large(
    browser: Browser, tmp_path: Path, scheme: Any, locale: str
) -> None:
    many = tuple(f"label number {number}" for number in range(12))
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "guide.md").write_text("Be fair. " * 100, encoding="utf-8")
    texts = ["w" * 3000, *TEXTS]
    looks: dict[str, Any] = {
        "viewport": {"width": 360, "height": 640},
        "color_scheme": scheme,
        "locale": locale,
    }
    looks |= {"has_touch": True, "is_mobile": True}
    with (
        served(tmp_path, texts, labels=many) as server,
        opened(browser, server.links["ann"], **looks) as page,
    ):
        wide = "node => node.scrollWidth - node.clientWidth"
        assert page.locator("html").evaluate(wide) <= 0
        for button in page.locator("button:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert box["height"] >= 48, button.text_content()
        page.locator("#open-guide").tap()
        expect(page.locator("#guide-text")).to_be_visible()
        page.locator("#close-guide").tap()
        page.locator("#labels button").first.tap()
        expect(page.locator("#text")).to_have_text(TEXTS[0])
        wanted = "ko" if locale == "ko-KR" else "en"
        expect(page.locator("html")).to_have_attribute("lang", wanted)
        done = "1개 완료" if wanted == "ko" else "1 done"
        expect(page.locator("#counts")).to_contain_text(done)


def test_a_long_text_is_scrolled_by_the_arrows(browser: Browser, tmp_path: Path) -> None:
    with (
        served(tmp_path, ["word " * 2000, *TEXTS]) as server,
        opened(browser, server.links["ann"]) as page,
    ):
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.wait_for_function("() => document.querySelector('main').scrollTop > 0")
        page.keyboard.press("1")
        shows(page, 0)
        assert page.locator("main").evaluate("node => node.scrollTop") == 0


def test_a_wrong_link_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        url = server.links["ann"].partition("#")[0]
        page = browser.new_context().new_page()
        page.goto(url)
        expect(page.locator("#text")).to_contain_text("modelyard annotate")
        page.goto(f"{url}#wrong")
        expect(page.locator("#text")).to_contain_text("does not work any more")
        expect(page.locator("button:visible")).to_have_count(0)
        page.context.close()
