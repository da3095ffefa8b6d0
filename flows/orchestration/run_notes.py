"""Notes of the flow runs that are under way, so that none stays "Running" for ever in Prefect.

Prefect's own server does not notice that the process of a run was killed. Each run therefore notes
its process in `.modelyard/runs/<id>.json`, and removes the note once Prefect knows how it ended. A
note whose process has ended means a run that was killed: it is put into Crashed, or into Cancelled
where that was asked for, as soon as a Prefect server answers.

Imports no Prefect: a build with nothing to do looks here too.
"""

import json
import os
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.process_identity import Presence, ProcessIdentity, presence, this_process
from pipeline.core.progress import say
from pipeline.core.typed_json import MismatchError, read_as

ROOT_VARIABLE = "MODELYARD_ROOT"
"""Environment variable of the services of `modelyard ui` and of their runs: the project's folder."""

FLOWS = ("build", "release", "retrain", "compress_search")
_OPEN = ("PENDING", "RUNNING", "CANCELLING")
_UNNOTED_SECONDS = 300.0
"""A run may be this old before it has a note: it is being started."""
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class RunNote:
    """A flow run that began here, and its process."""

    run: str
    process: ProcessIdentity


def note_run(flow: object, flow_run: Any, state: object) -> None:
    """Notes a run that begins; Prefect calls it as the flow's `on_running`."""
    del flow, state
    note_process(_root(), str(flow_run.id), this_process())


def note_process(root: Path, run: str, process: ProcessIdentity) -> None:
    """Notes the process of a run that goes on."""
    note = RunNote(run=run, process=process)
    write_json(_place(root, note.run), asdict(note))


def forget_run(flow: object, flow_run: Any, state: object) -> None:
    """Removes the note of a run whose end Prefect knows; Prefect calls it after that."""
    del flow, state
    forget_process(_root(), str(flow_run.id))


def forget_process(root: Path, run: str) -> None:
    """Removes the note of a run."""
    _place(root, run).unlink(missing_ok=True)


def killed_runs(root: Path) -> list[RunNote]:
    """The runs of this machine that ended without a word to Prefect."""
    return [note for note in _notes(root) if presence(note.process) is Presence.ENDED]


def mend_runs(root: Path, api: str) -> None:
    """Tells Prefect of the runs that were killed, and says so; what fails is done at the next start."""
    try:
        for line in close_killed_runs(root, api):
            say(f"mended  {line}")
    except OSError as error:
        say(f"Prefect was not told of killed runs: {error}")


def close_killed_runs(root: Path, api: str) -> list[str]:
    """Tells Prefect of the runs that were killed; returns a line for each.

    Where the database is this folder's own, so are runs that were killed before they had a note.
    """
    closed = []
    for note in killed_runs(root):
        if (run := _read(api, note.run)) and (line := _close(api, run)):
            closed.append(line)
        _place(root, note.run).unlink(missing_ok=True)
    noted = {note.run for note in _notes(root)}
    for run in _open_runs(api):
        if run["id"] not in noted and (line := _close(api, run)):
            closed.append(line)
    return closed


def _notes(root: Path) -> list[RunNote]:
    notes = []
    for path in sorted((Paths(root).state / "runs").glob("*.json")):
        try:
            notes.append(read_as(RunNote, read_json(path)))
        except MismatchError:
            path.unlink()  # of another version
    return notes


def _open_runs(api: str) -> Sequence[dict[str, Any]]:
    """Runs of our flows that are said to be under way, and were so minutes ago."""
    before = (datetime.now(UTC) - timedelta(seconds=_UNNOTED_SECONDS)).isoformat()
    wanted = {
        "flows": {"name": {"any_": list(FLOWS)}},
        "flow_runs": {
            "state": {"type": {"any_": list(_OPEN)}},
            "expected_start_time": {"before_": before},
        },
    }
    found: list[dict[str, Any]] = _ask(f"{api}/flow_runs/filter", wanted)
    return [run for run in found if (run["state"] or {}).get("timestamp", "") < before]


def _close(api: str, run: dict[str, Any]) -> str | None:
    """Ends a run in Prefect, with its tasks; None where it had ended already."""
    if run["state_type"] not in _OPEN:
        return None
    asked = run["state_type"] == "CANCELLING"
    state = {
        "type": "CANCELLED" if asked else "CRASHED",
        "name": "Cancelled" if asked else "Crashed",
        "message": "Its process was killed; the same work goes on in the next run.",
    }
    tasks = {
        "flow_runs": {"id": {"any_": [run["id"]]}},
        "task_runs": {"state": {"type": {"any_": list(_OPEN)}}},
    }
    for task in _ask(f"{api}/task_runs/filter", tasks):
        _ask(f"{api}/task_runs/{task['id']}/set_state", {"state": state})
    # Not by force, so that Prefect's own rules give back a concurrency slot.
    _ask(f"{api}/flow_runs/{run['id']}/set_state", {"state": state})
    return f"flow run {run['name']!r} was killed: {state['name']} in Prefect"


def _read(api: str, run: str) -> dict[str, Any] | None:
    """A run as Prefect knows it; None where it does not, in a database made anew."""
    found: list[dict[str, Any]] = _ask(
        f"{api}/flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}}
    )
    return found[0] if found else None


def _ask(url: str, body: object) -> Any:
    """The answer to a JSON request to a server of this machine; proxies are passed over."""
    headers = {"Content-Type": "application/json"}
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - our own http
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
        return json.load(answer)


def _place(root: Path, run: str) -> Path:
    return Paths(root).state / "runs" / f"{run}.json"


def _root() -> Path:
    return Path(os.environ.get(ROOT_VARIABLE) or Path.cwd())
