"""The form for a build in the Prefect UI, in a real Chromium: its words, and what it refuses."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from flows.ui import Services
from tests.support.browser import browser_fixture  # noqa: F401 - a fixture
from tests.support.mini_repo import make_mini_repo, mini_environment
from tests.support.prefect_database import put_database
from tests.support.repository import REPOSITORY

pytestmark = [pytest.mark.browser, pytest.mark.soak]

FIND = """() => [...document.querySelectorAll("input[type=number]")].findIndex(input => {
  for (let node = input, depth = 0; node && depth < 6; node = node.parentElement, depth++)
    if ((node.innerText || "").startsWith("epochs")) return true;
  return false;
})"""


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, prefect_database: Path
) -> Iterator[Services]:
    """What `modelyard ui` starts, in a small project."""
    root = make_mini_repo(tmp_path_factory.mktemp("project"))
    shutil.copy(REPOSITORY / "prefect.yaml", root)
    put_database(prefect_database, root)
    command = [sys.executable, "-m", "flows"]
    environment = mini_environment(root)
    subprocess.run([*command, "ui"], cwd=root, env=environment, check=True)
    yield Services.load(root)
    subprocess.run([*command, "stop"], cwd=root, env=environment, check=True)


def runs(services: Services) -> int:
    wanted = {
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "flows": {"name": {"any_": ["build"]}},
    }
    answer = httpx.post(f"{services.prefect_api}/flow_runs/filter", json=wanted, trust_env=False)
    return len(answer.json())


@pytest.mark.parametrize("width", [1280, 360])
def test_it_has_the_words_and_refuses_no_epochs(
    services: Services, browser: Browser, width: int
) -> None:
    api = services.prefect_api
    deployment = httpx.get(f"{api}/deployments/name/build/build", trust_env=False).json()["id"]
    page: Page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(f"{services.prefect_ui}/deployments/deployment/{deployment}/run")
    page.get_by_text("Every parameter, by section").wait_for()
    assert page.get_by_text("How many times training reads all its rows").count() >= 4
    assert page.locator("html").evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    page.locator("input[type=number]").nth(page.evaluate(FIND)).fill("0")
    page.get_by_role("button", name="Submit").first.click(force=True)
    page.get_by_text("0 is less than or equal to the minimum of 0").first.wait_for()
    assert runs(services) == 0
    page.close()
