"""A person's tab of the annotation page in a real browser, over a real server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.labelling import LabelServer, label_server, make_project

TEXTS = [f"Text number {number}." for number in range(200)]


@contextmanager
def served(root: Path, texts: list[str] = TEXTS, **project: Any) -> Iterator[LabelServer]:
    make_project(root, texts, **project)
    with label_server(root) as server:
        yield server


@contextmanager
def opened(browser: Browser, link: str, **looks: Any) -> Iterator[Page]:
    """The page in a context of its own; fails at the end where it reported a problem or scrolls sideways."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | looks)
    problems: list[str] = []
    page = tab(context, link, problems)
    yield page
    hidden = page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth")
    context.close()
    assert hidden <= 0
    assert [text for text in problems if "Failed to load" not in text] == []


def tab(context: BrowserContext, link: str, problems: list[str] | None = None) -> Page:
    page = context.new_page()
    if problems is not None:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
    page.goto(link)
    ready(page)
    return page


def ready(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", "row")


def saved(page: Page) -> None:
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved", timeout=20_000)


def press(page: Page, code: str, key: str = "Process", **more: Any) -> None:
    """Presses the key at a place; `key` is what the keyboard's language makes of it."""
    session = page.context.new_cdp_session(page)
    given = {"code": code, "key": key, "windowsVirtualKeyCode": 229, **more}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **given})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **given})
    session.detach()
