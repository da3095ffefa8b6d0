"""Prefect and MLflow may die, be locked or be late: a build goes on, and they know all in the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import Browser

from flows.execution.locks import WORKSPACE_VARIABLE
from flows.execution.network import free_port
from flows.orchestration.server_lock import ServerNote, noted_server
from pipeline.release.mlflow_database import ensure_database
from tests.support.browser import browser_fixture  # noqa: F401 - a fixture
from tests.support.mini_repo import make_mini_repo, mini_environment
from tests.support.prefect_database import put_database
from tests.support.repository import REPOSITORY
from tests.support.told import (
    RUNS,
    ask,
    in_mlflow,
    in_prefect,
    kill_service,
    locked,
    points_of_curve,
)

STAGES = ["collect", "validate", "label", "gate"]
BUILD = [sys.executable, "-m", "flows", "build", "--no-release"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Path:
    root = make_mini_repo(tmp_path_factory.mktemp("mini"))
    put_database(prefect_database, root)
    return root


class Running:
    """A build in a process of its own; what it prints is in `log`."""

    def __init__(self, root: Path, text: str, **environment: str) -> None:
        (root / "data" / "text.txt").write_text(text)
        self.root, self._log = root, root / ".modelyard" / "flow.log"
        self._log.parent.mkdir(exist_ok=True)
        own = mini_environment(root, **environment)
        with self._log.open("w") as stream:
            self.process = subprocess.Popen(BUILD, cwd=root, env=own, stdout=stream, stderr=stream)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def until(self, sign: str) -> None:
        while sign not in self.log:
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def until_prefect_answers(self) -> ServerNote:
        while (note := noted_server(self.root)) is None or not answers(note):
            assert self.process.poll() is None, self.log
            time.sleep(0.1)
        return note


def answers(note: ServerNote) -> bool:
    try:
        return httpx.get(f"{note.address}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False


def processes_of(root: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(WORKSPACE_VARIABLE) == str(root)
    ]


def finish(root: Path) -> str:
    """Starts the same command again; nothing is left to do but to tell."""
    again = subprocess.run(
        BUILD, cwd=root, env=mini_environment(root), capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "4 cached" in again.stdout
    assert not list((root / ".modelyard" / "untold").iterdir())
    return again.stdout


@pytest.mark.soak
def test_prefect_is_killed_and_mlflow_is_locked_in_the_middle_of_a_stage(root: Path) -> None:
    """Then a build fails, by an error that is not a stage's own, which ends it at that stage."""
    ensure_database(root)
    before = in_mlflow(root)
    build = Running(root, "one two slow", STEPS="60")
    build.until("validate  1/60")
    with locked(root / "mlflow.db"):
        server = build.until_prefect_answers()
        os.kill(server.process.pid, signal.SIGKILL)
        assert build.process.wait() == 0, build.log
    assert build.log.count("validate  started") == 1
    assert "NOTE  MLflow was not told everything" in build.log

    log = root / ".modelyard" / "logs" / "label.log"
    log.unlink(missing_ok=True)
    log.mkdir()
    try:
        failing = Running(root, "one two three four")
        assert failing.process.wait() == 1
    finally:
        log.rmdir()
    assert "label was stopped, for a file of the build could not be used" in failing.log
    assert "label.log" in failing.log
    assert "Traceback" not in failing.log
    assert not any(line.startswith("gate") for line in failing.log.splitlines())

    assert not list((root / ".modelyard" / "untold").iterdir())
    *_, whole, cut = ask(root / ".modelyard/prefect/prefect.db", RUNS)
    assert (whole[0], cut[0]) == ("COMPLETED", "FAILED")
    assert set(whole[1].split(",")) == {f"{name} COMPLETED" for name in STAGES}
    assert set(cut[1].split(",")) == {"collect COMPLETED", "validate COMPLETED", "label FAILED"}
    first = [(name, "FINISHED") for name in ["build", *STAGES]]
    second = [
        ("collect", "FINISHED"),
        ("validate", "FINISHED"),
        ("label", "FAILED"),
        ("build", "FAILED"),
    ]
    assert in_mlflow(root) - before == Counter([*first, *second])
    assert points_of_curve(root) == 60


@pytest.mark.soak
def test_a_run_that_is_cancelled_in_prefect_ends_as_cancelled(root: Path) -> None:
    build = Running(root, "one two three slow")
    build.until("validate  1/600")
    server = build.until_prefect_answers()
    state = {"state": {"type": "CANCELLING"}}
    with httpx.Client(base_url=server.address, trust_env=False) as client:
        runs: list[dict[str, str]] = []
        while not runs:
            running = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
            runs = client.post("/flow_runs/filter", json=running).json()
        client.post(f"/flow_runs/{runs[0]['id']}/set_state", json=state).raise_for_status()
    assert build.process.wait() == 130, build.log
    assert processes_of(root) == []
    assert "Traceback" not in build.log
    run, tasks = in_prefect(root)
    assert run == ("CANCELLED",)
    assert tasks[:2] == [("collect", "COMPLETED"), ("validate", "CANCELLED")]
    assert in_mlflow(root)["validate", "KILLED"]


@pytest.mark.soak
def test_what_was_not_told_is_told_by_a_build_with_nothing_to_do(root: Path) -> None:
    first = Running(root, "six")
    assert first.process.wait() == 0, first.log
    before = in_mlflow(root)
    build = Running(root, "one two six")
    with locked(root / "mlflow.db"):
        assert build.process.wait() == 0, build.log
    assert in_mlflow(root) == before
    assert "Telling Prefect and MLflow" in finish(root)
    assert in_mlflow(root) - before == Counter([(name, "FINISHED") for name in ["build", *STAGES]])
    noted = json.loads((root / ".modelyard" / "last_build.json").read_text())
    assert noted["mlflow_run_id"]


@pytest.mark.soak
def test_mlflow_is_locked_for_ninety_seconds_and_then_told_in_the_same_run(root: Path) -> None:
    first = Running(root, "two")
    assert first.process.wait() == 0, first.log
    before = in_mlflow(root)
    build = Running(root, "one two three four five slow", STEPS="1100")
    build.until("validate  1/1100")
    with locked(root / "mlflow.db"):
        time.sleep(90)
    assert build.process.wait() == 0, build.log
    assert build.log.count("validate  started") == 1
    assert in_mlflow(root) - before == Counter([(name, "FINISHED") for name in ["build", *STAGES]])
    assert points_of_curve(root) == 1100


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_a_run_as_cancelled(root: Path, number: signal.Signals) -> None:
    build = Running(root, f"one {number.name} slow")
    build.until("validate  1/600")
    build.until_prefect_answers()
    stopped = time.monotonic()
    for _ in range(2):  # as an impatient person
        build.process.send_signal(number)
        time.sleep(0.2)
    while processes_of(root):
        assert time.monotonic() - stopped < 15
        time.sleep(0.1)
    assert build.process.wait() == 130, build.log
    assert "Traceback" not in build.log
    assert in_prefect(root)[0] == ("CANCELLED",)


@pytest.fixture
def with_ui(root: Path) -> Iterator[httpx.Client]:
    """The services of `make ui` for the small repository; yields a client of its Prefect server."""
    for name in ("flows", "tests"):
        if not (root / name).exists():
            (root / name).symlink_to(REPOSITORY / name)
    shutil.copy(REPOSITORY / "prefect.yaml", root)
    ports = ["--prefect-port", str(free_port()), "--mlflow-port", str(free_port())]
    modelyard(root, "ui", *ports)
    note = noted_server(root)
    assert note is not None
    assert not note.temporary
    with httpx.Client(base_url=note.address, trust_env=False) as client:
        yield client
    modelyard(root, "stop")
    assert noted_server(root) is None


def modelyard(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "flows", *arguments]
    own = mini_environment(root)
    answer = subprocess.run(command, cwd=root, env=own, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def asked_for_by_form(root: Path, client: httpx.Client, text: str) -> str:
    """Starts a run of the form `build`; returns its id when its stage `validate` is at work."""
    (root / "data" / "text.txt").write_text(text)
    curve = root / "artifacts" / "validate" / "curve.csv"
    curve.unlink(missing_ok=True)  # of an earlier run, which would tell nothing of this one
    deployment = client.post("/deployments/filter", json={"flows": {"name": {"any_": ["build"]}}})
    path = f"/deployments/{deployment.json()[0]['id']}/create_flow_run"
    made = client.post(path, json={"state": {"type": "SCHEDULED"}}).raise_for_status()
    while not processes_of(root) or not curve.exists() or len(curve.read_text().splitlines()) < 9:
        time.sleep(0.2)
    return str(made.json()["id"])


def state_of_run(client: httpx.Client, run: str) -> str:
    return str(client.get(f"/flow_runs/{run}").json()["state"]["type"])


def cancel_by_request(client: httpx.Client, run: str) -> None:
    stop = {"state": {"type": "CANCELLING"}}
    client.post(f"/flow_runs/{run}/set_state", json=stop).raise_for_status()


def assert_ends_as_cancelled(root: Path, client: httpx.Client, run: str) -> None:
    """Within 15 s nothing works there any more, and Prefect says Cancelled for good."""
    asked = time.monotonic()
    while processes_of(root) or state_of_run(client, run) in ("CANCELLING", "RUNNING"):
        assert time.monotonic() - asked < 15
        time.sleep(0.1)
    assert state_of_run(client, run) == "CANCELLED"
    tasks = {"flow_runs": {"id": {"any_": [run]}}}
    shown = {
        t["name"]: t["state_type"] for t in client.post("/task_runs/filter", json=tasks).json()
    }
    assert shown["validate"] == "CANCELLED"
    time.sleep(5)  # the worker has its say, too
    assert state_of_run(client, run) == "CANCELLED"


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_run_of_a_form_is_shown_with_its_tasks_and_can_be_cancelled(
    root: Path, with_ui: httpx.Client
) -> None:
    of_a_killed_build = root / ".modelyard" / "worktrees" / "build-1"
    of_a_killed_build.mkdir(parents=True)
    run = asked_for_by_form(root, with_ui, "one of a form slow")
    assert state_of_run(with_ui, run) == "RUNNING"
    assert not of_a_killed_build.exists()  # a run that a worker starts mends, too
    cancel_by_request(with_ui, run)
    assert_ends_as_cancelled(root, with_ui, run)


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(1200)
def test_a_run_is_cancelled_by_mouse(root: Path, with_ui: httpx.Client, browser: Browser) -> None:
    run = asked_for_by_form(root, with_ui, "one by mouse slow")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(f"{str(with_ui.base_url).removesuffix('/api/')}/runs/flow-run/{run}")
    page.get_by_role("button", name="Cancel", exact=True).first.click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    assert_ends_as_cancelled(root, with_ui, run)
    page.get_by_text("Cancelled").first.wait_for()
    page.close()


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_servers_of_the_ui_are_killed_in_the_middle_of_a_run(
    root: Path, with_ui: httpx.Client
) -> None:
    run = asked_for_by_form(root, with_ui, "one of another form slow")
    kill_service(root, "prefect")
    kill_service(root, "mlflow")
    gate = root / "artifacts" / "gate" / "verdict.json"
    gate.unlink(missing_ok=True)  # of the build before
    killed = time.monotonic()
    while not gate.exists() or processes_of(root):
        assert time.monotonic() - killed < 300, (root / ".modelyard/logs/worker.log").read_text()
        time.sleep(0.5)
    finish(root)
    database = root / ".modelyard/prefect/prefect.db"
    rows = ask(database, "select id, state_type from flow_run")
    states = {str(identity): state for identity, state in rows}
    assert states[run] == "COMPLETED"
