"""People who label in a real browser by their keys, from answers that a test knows, with some errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import sha256

from playwright.sync_api import Browser, Page, expect

from tests.support.labelling import LabelServer

_BLOCK = 20
_MOST_BLOCKS = 200

Answer = Callable[[str, str], str]
"""Person and text → the label that the person gives."""


def with_errors(labels: Mapping[str, str], *, one_in: int) -> Answer:
    """Answers as the labels say, but for one text in so many, which differ from person to person."""
    other = dict(
        zip(sorted({*labels.values()}), sorted({*labels.values()}, reverse=True), strict=True)
    )

    def answer(person: str, text: str) -> str:
        drawn = int.from_bytes(sha256(f"{person}|{text}".encode()).digest()[:4], "big")
        label = labels[text]
        return other[label] if drawn % one_in == 0 else label

    return answer


def label_in_turns(
    browser: Browser,
    server: LabelServer,
    people: Sequence[str],
    answer: Answer,
    labels: Sequence[str],
) -> int:
    """Each person labels a few rows in turn, until the page has none for anybody; returns how many keys labelled.

    Args:
        labels: of the product, in order: the first has the key 1.
    """
    pressed = 0
    with ExitStack() as stack:
        pages = {name: stack.enter_context(_page(browser, server, name)) for name in people}
        for _ in range(_MOST_BLOCKS):
            before = pressed
            for name, page in pages.items():
                pressed += _label_some(page, partial(answer, name), labels)
            if pressed == before:
                return pressed
    raise AssertionError(f"still rows after {pressed} labels")


@contextmanager
def _page(browser: Browser, server: LabelServer, name: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(server.links[name])
    yield page
    context.close()


def _label_some(page: Page, label_of: Callable[[str], str], labels: Sequence[str]) -> int:
    """Presses the keys of a few rows; returns how many."""
    page.reload()  # brings what others have given back
    expect(page.locator("body")).not_to_have_attribute("data-state", "loading")
    pressed = 0
    while pressed < _BLOCK and page.locator("body").get_attribute("data-state") == "row":
        text = page.locator("#text .part").text_content() or ""
        page.keyboard.press(str(labels.index(label_of(text)) + 1))
        pressed += 1
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved", timeout=20_000)
    return pressed
