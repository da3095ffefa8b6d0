"""The released model runs in a real browser: the same answers, once loaded without a network, each file checked."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pipeline.edge.browser_folder import HEADERS, write_browser_folder
from pipeline.edge.folder_server import FolderHandler, ServedFile, make_server, running
from pipeline.edge.model_files import model_files
from pipeline.edge.npm_packages import PACKAGES
from pipeline.edge.parity_check import ParityRequests, check_parity
from pipeline.edge.parity_texts import hostile_texts, sentences
from pipeline.problem.decision import Decision
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.reader import open_tokenizer
from pipeline.runtime.task import Task
from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture
from tests.support.node import kept_packages, needs_node
from tests.support.session_copy import session_copy
from tests.support.tiny_bundle import SPECIAL, make_tiny_bundle, tiny_task

__all__ = ["browser_fixture"]
pytestmark = [pytest.mark.browser, needs_node]
MEGABYTE = 1e6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny bundle, with the real libraries."""
    kept = kept_packages(tmp_path_factory, *PACKAGES)

    def write(place: Path) -> None:
        make_tiny_bundle(place / "bundle")
        write_browser_folder(open_bundle(place / "bundle"), place / "served", kept_packages=kept)

    return session_copy(tmp_path_factory, "browser-folder", write) / "served"


@dataclass
class Served:
    """A server of the folder, and each request to it: its path and the bytes that were sent."""

    address: str = ""
    requests: list[tuple[str, int]] = field(default_factory=list)
    altered: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serving(folder: Path, headers: Mapping[str, str] = HEADERS) -> Iterator[Served]:
    served = Served()

    class Handler(FolderHandler):
        def found(self, accepted: str) -> ServedFile | None:
            file = super().found(accepted)
            changed = served.altered.get(self.path)
            if changed is not None:
                file = ServedFile(changed, {"content-length": str(len(changed)), "etag": '"a"'})
            served.requests.append((self.path, len(file.body) if file else 0))
            return file

    with running(make_server(folder, port=0, headers=headers, handler=Handler)) as address:
        served.address = address
        yield served


@contextmanager
def visitor(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    context = browser.new_context(**{"locale": "en-US", **options})
    try:
        yield context
    finally:
        context.close()


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#ready")).to_be_visible(timeout=120_000)
    return page


def ask(page: Page, text: str) -> str:
    page.locator("#text").fill(text)
    expect(page.locator("#time")).not_to_be_empty(timeout=60_000)
    return page.locator("#verdict").inner_text()


def test_it_answers_loads_once_asks_no_other_address_and_needs_no_network(
    folder: Path, browser: Browser
) -> None:
    asked: list[str] = []
    with serving(folder) as served, visitor(browser) as context:
        context.on("request", lambda request: asked.append(request.url))
        page = opened(context, served.address)
        assert ask(page, "a warm funny film") == "Positive"
        assert all(url.startswith(served.address) for url in asked)
        assert 1 * MEGABYTE < sum(size for _, size in served.requests) < 8 * MEGABYTE
        served.requests.clear()
        again = opened(context, served.address)
        assert ask(again, "the awful dull film") == "Negative"
        assert served.requests == []
        address = served.address
        again.close()
        page.close()
        # The server is gone, and the network with it.
        context.set_offline(True)
        assert ask(opened(context, address), "a good film") == "Positive"


@pytest.mark.parametrize("name", ["model.onnx", "engine.js"])
def test_a_file_that_was_altered_on_its_way_is_not_run(
    folder: Path, browser: Browser, name: str
) -> None:
    with serving(folder) as served, visitor(browser) as context:
        served.altered[f"/{name}"] = b"altered"
        page = context.new_page()
        page.goto(served.address)
        expect(page.locator("#loading-title")).to_have_text(
            "It could not be loaded", timeout=120_000
        )
        expect(page.locator("#loading-note")).to_contain_text(f"{name} did not arrive as it was")
        expect(page.locator("#ready")).to_be_hidden()


@pytest.mark.parametrize(
    ("width", "locale", "words"),
    [
        (360, "ko-KR", "입력한 글은 기기 밖으로 나가지 않습니다"),
        (1280, "en-US", "Nothing that you type"),
    ],
)
def test_the_page_says_what_the_device_holds_and_fits_a_phone(
    folder: Path, browser: Browser, width: int, locale: str, words: str
) -> None:
    options = {"viewport": {"width": width, "height": 740}, "locale": locale}
    problems: list[str] = []
    with serving(folder) as served, visitor(browser, **options) as context:
        context.on("console", lambda message: problems.append(message.text))
        page = opened(context, served.address)
        page.locator("#examples button").first.click()
        expect(page.locator("#time")).to_contain_text("ms", timeout=60_000)
        assert words in page.locator("header").inner_text()
        figures = page.locator("#figures").inner_text()
        assert re.search(r"\d+\.\d+ MB", figures)
        assert re.search(r"3 of 3|3개 중 3개", figures)
        assert page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
        assert problems == []
        assert serious_findings(page) == []


def test_files_that_a_browser_threw_away_are_fetched_and_checked_again(
    folder: Path, browser: Browser
) -> None:
    with serving(folder) as served, visitor(browser) as context:
        page = opened(context, served.address)
        page.evaluate(
            "caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name))))"
        )
        assert ask(opened(context, served.address), "a good film") == "Positive"


def test_a_newer_version_waits_until_it_is_asked_for(
    folder: Path, browser: Browser, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    # As an hour later, when the browser asks again.
    headers = {**HEADERS, "cache-control": "no-cache"}
    with serving(copy, headers=headers) as served, visitor(browser) as context:
        page = opened(context, served.address)
        listed = (copy / "files.js").read_text()
        newer = re.sub(r'"version": "\w+"', f'"version": "{"0" * 64}"', listed)
        for path in copy.glob("files.js*"):
            path.unlink()
        (copy / "files.js").write_text(newer)
        page.evaluate("navigator.serviceWorker.ready.then((found) => found.update())")
        expect(page.locator("#newer")).to_be_visible(timeout=120_000)
        assert ask(page, "a warm funny film") == "Positive"
        page.locator("#replace").click()
        expect(page.locator("#newer")).to_be_hidden(timeout=120_000)
        expect(page.locator("#ready")).to_be_visible(timeout=120_000)
        kept = page.evaluate("caches.keys()")
        assert [name.rpartition(" ")[2] for name in kept] == ["0" * 64]


TASKS = [
    tiny_task(window_stride=4),
    tiny_task(pairs=True),
    tiny_task(pairs=True, window_stride=3),
    tiny_task(labels=("sad", "dull", "fine"), decision=Decision((0.2, 0.3, 0.5), 0.4)),
    tiny_task("multi_label", labels=("sad", "dull", "fine"), decision=Decision((0.2, 0.3, 0.5))),
    tiny_task("regression", window_stride=5),
    tiny_task(cleaning=0),
]


@pytest.mark.parametrize("task", TASKS[:2], ids=["windows", "pairs"])
def test_a_browser_reads_and_answers_as_python(
    folder: Path, chromium: str, tmp_path: Path, task: Task
) -> None:
    compare(folder, chromium, tmp_path, task=task, count=100)


@pytest.mark.soak
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_kind_of_task_is_read_and_answered_as_python_does(
    folder: Path, chromium: str, tmp_path: Path, task: Task
) -> None:
    compare(folder, chromium, tmp_path, task=task, count=2000)


def compare(folder: Path, chromium: str, place: Path, *, task: Task, count: int) -> None:
    """Puts the model of another task into a copy of the folder, and compares it with Python."""
    make_tiny_bundle(place / "bundle", task=task)
    bundle = open_bundle(place / "bundle")
    served = with_model(folder, place / "served", bundle)
    tokenizer = open_tokenizer(bundle.tokenizer)
    requests = ParityRequests.of(
        sentences(tokenizer, count), hostile_texts(count, special=SPECIAL), pairs=task.pairs
    )
    parity = check_parity(bundle, served, requests, browser=chromium)
    assert (parity.sentences.apart, parity.hostile.apart) == ((), ())
    assert parity.passed, "\n".join(parity.lines())


def with_model(folder: Path, copy: Path, bundle: Bundle) -> Path:
    """A copy of the folder with another model; nothing of it is compressed."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.br", "*.gz"))
    for name, content in model_files(bundle).items():
        (copy / name).write_bytes(content)
    return copy
