"""What every test shares: no telemetry, no network hubs, state of its own, browser tests told apart."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.chosen_environment import choose_environment
from pipeline.core.output import forgive_output

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
NO_BROWSER = "no Chromium on this machine"
_state = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before any test module imports a library that reads it."""
    forgive_output()
    choose_environment()
    for of_the_shell in (
        *("MODELYARD_SET", "MODELYARD_PRODUCT"),
        *("MODELYARD_TOKEN", "MODELYARD_TOKEN_FILE"),
        *("MODELYARD_MLFLOW_DATABASE", "MODELYARD_PREFECT_DATABASE"),
    ):
        os.environ.pop(of_the_shell, None)
    state = Path(tempfile.mkdtemp(prefix="modelyard-tests-"))
    config.stash[_state] = state
    os.environ.update(
        HF_HUB_OFFLINE="1",
        PREFECT_HOME=str(state / "prefect"),
        # Two tests share the cores: a thread of OpenMP that waits must not hold one.
        OMP_WAIT_POLICY="PASSIVE",
        MPLBACKEND="Agg",
        MPLCONFIGDIR=str(state / "matplotlib"),
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[_state], ignore_errors=True)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names bytes by their argument: bytes packed with today's time differ between two workers."""
    return argname if isinstance(val, bytes) else None


def find_browser() -> str | None:
    """A Chromium to drive: $BROWSER_PATH, else the first that is installed."""
    if chosen := os.environ.get("BROWSER_PATH"):
        return chosen
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium that browser tests drive."""
    found = find_browser()
    if found is None:
        pytest.fail(f"{NO_BROWSER}: install chromium, or set BROWSER_PATH")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest file first, since two run side by side; without a browser, browser tests out.

    REQUIRE_BROWSER=1 leaves them in, and they fail.
    """
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)
    if find_browser() or os.environ.get("REQUIRE_BROWSER") == "1":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in plain words when browser tests were left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(NO_BROWSER in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"Browser tests left out: {count}. There is {NO_BROWSER}. Install one"
            " (Debian, Ubuntu: apt-get install chromium) and run `make test` again to include them.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def prefect_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database of Prefect, as `make install` leaves it; copy it, do not use it in place."""
    from tests.support.prefect_database import database_of, prepare
    from tests.support.session_copy import session_folder

    def make(root: Path) -> None:
        said = prepare(root).splitlines()
        assert (said[0], said[-1]) == ("Preparing Prefect's database …", "True")

    return database_of(session_folder(tmp_path_factory, "prefect", make))


@pytest.fixture(scope="session")
def prefect_root(
    tmp_path_factory: pytest.TempPathFactory, prefect_database: Path
) -> Iterator[tuple[Path, str]]:
    """A project's folder whose Prefect server runs, and the API's address; see `talking_to`."""
    from tests.support.prefect_api import start_prefect

    root = tmp_path_factory.mktemp("prefect")
    with start_prefect(root, prefect_database) as address:
        yield root, address
