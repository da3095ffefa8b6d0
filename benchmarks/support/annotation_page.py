"""Times of the annotation page in a real headless Chromium, and the start of its server with a million rows.

A hand presses label keys four times a second. From the time stamp that the browser gives to the key, `painted` ends
after the first frame with the next text, `acknowledged` once the server's answer is read: the label is on its disk.
A frame comes every 16.7 ms, so half of one is the least that `painted` can be on average.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import httpx
import numpy as np
import psutil
from playwright.sync_api import Page, expect, sync_playwright

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import DataError
from tests.conftest import NO_BROWSER, find_browser
from tests.support.browser import ARGUMENTS
from tests.support.labelling import make_project

ROWS = 100_000
MOST_ROWS = 1_000_000
_KEYS = 400
_PAUSE = (0.15, 0.35)
"""Seconds between two keys."""
_WORDS = 200
_WORDS_A_TEXT = 25
_STARTS = 3

_WATCH = """
(() => {
  const seen = { painted: [], acknowledged: [], pressed: [] };
  window.seen = seen;
  addEventListener("keydown", (event) => {
    const before = document.querySelector("#text").textContent;
    const pressed = event.timeStamp;
    seen.pressed.push(pressed);
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const now = performance.now();
        seen.painted.push(document.querySelector("#text").textContent === before ? null : now - pressed);
      };
      channel.port2.postMessage(null);
    });
  }, true);
  const send = window.fetch;
  window.fetch = async (path, options) => {
    const answer = await send(path, options);
    if (path === "/api/events" && answer.ok) {
      await answer.clone().json();
      const now = performance.now();
      for (const event of JSON.parse(options.body)) {
        if (event.event === "vote") seen.acknowledged.push(now - seen.pressed[seen.acknowledged.length]);
      }
    }
    return answer;
  };
})()
"""


def measure() -> dict[str, float]:
    """Returns milliseconds from key to paint and to acknowledgement; seconds and megabytes of a start.

    Raises:
        DataError: there is no Chromium.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-annotation-") as folder:
        figures = _times_of_keys(make_project(Path(folder) / "page", texts(ROWS)))
        return figures | _starts(make_project(Path(folder) / "start", texts(MOST_ROWS)))


def texts(count: int) -> list[str]:
    """Returns drawn texts of 25 words, each another."""
    chance = random.Random(11)  # noqa: S311 - a sample, no secret
    letters = "etaoinshrdlucmfwyg"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(_WORDS)]
    drawn = np.random.default_rng(11).integers(_WORDS, size=(count, _WORDS_A_TEXT))
    return [
        f"{number} {' '.join([words[word] for word in row])}"
        for number, row in enumerate(drawn.tolist())
    ]


@contextmanager
def started(root: Path, people: str = "ann") -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Yields `modelyard annotate` as a process from the command line, and its links, once it has told them."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flows", "annotate", "--port", "0", "--people", people, "--json"],
        cwd=root,
        env=chosen_environment(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        told: dict[str, Any] = json.loads(cast(IO[str], process.stdout).readline())
        links = {person["name"]: person["link"] for person in told["people"]}
        yield psutil.Process(process.pid), links
    finally:
        process.kill()
        process.communicate()


def client(link: str) -> httpx.Client:
    """Returns a client that acts for the person of a link."""
    url, _, token = link.partition("#")
    headers = {"authorization": f"Bearer {token}"}
    return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)


def _times_of_keys(root: Path) -> dict[str, float]:
    browser_path = find_browser()
    if browser_path is None:
        raise DataError(NO_BROWSER, expected="a Chromium", next_step="install chromium")
    with started(root) as (_, links), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=[*ARGUMENTS])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(_WATCH)
        page.goto(links["ann"])
        expect(page.locator("body")).to_have_attribute("data-state", "row")
        seen = _pressed(page)
        browser.close()
    painted, acknowledged = (
        [each for each in seen[name] if each is not None] for name in ("painted", "acknowledged")
    )
    figures = {"keys": float(len(painted)), "keys_without_a_new_text": _KEYS - float(len(painted))}
    return figures | {
        f"{name}_p{share}_ms": float(np.percentile(times, share))
        for name, times in (("painted", painted), ("acknowledged", acknowledged))
        for share in (50, 95, 99)
    }


def _pressed(page: Page) -> dict[str, Sequence[float | None]]:
    chance = random.Random(3)  # noqa: S311 - a sample, no secret
    for number in range(_KEYS):
        page.keyboard.press("12"[number % 2])
        page.wait_for_timeout(1000 * chance.uniform(*_PAUSE))
    page.wait_for_function(f"() => window.seen.acknowledged.length === {_KEYS}")
    seen: dict[str, Sequence[float | None]] = page.evaluate("() => window.seen")
    return seen


def _starts(root: Path) -> dict[str, float]:
    """Returns seconds from the command to the first answered request, and the most memory by then.

    The first start after a build writes the row file; later ones find it.
    """
    figures: dict[str, float] = {}
    for number in range(_STARTS):
        begun = time.perf_counter()
        with started(root) as (process, links), client(links["ann"]) as asking:
            asking.get("/api/next?n=20").raise_for_status()
            seconds = time.perf_counter() - begun
            figures[f"start_{number + 1}_s"] = seconds
            figures[f"start_{number + 1}_peak_mb"] = peak_megabytes(process.pid)
    return figures


def peak_megabytes(process: int) -> float:
    """Returns the most memory that a running process has held, in megabytes of 1,000,000 bytes."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6
