"""Tells Prefect a run by plain calls of its API: flow run, task runs, logs, artifacts.

The runs are not Prefect's engine's: it stops a flow whose server does not answer, and hides errors that
are not the stage's own (docs/adr/0026). Every call may be made twice: runs have keys of their own.
"""

import json
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from flows.orchestration.run_notes import forget_process, mend_runs, note_process
from flows.tracking.facts import (
    BuildStarted,
    Fact,
    Page,
    Picture,
    Progress,
    RunEnded,
    RunStarted,
    Said,
    StageEnded,
    StageStarted,
    Table,
)
from flows.tracking.outbox import Told
from flows.tracking.teller import RefusedError

_RUN, _FLOW = "run", "flow"
_SEARCH = "compress_search"
_SECONDS = 30.0
_INFO, _ERROR = 20, 40
_LONGEST_LINE = 20_000
_TRY_AGAIN = (408, 429)
_STAGES_WITH_PICTURES = ("evaluate", "gate")
_STOPPING = ("CANCELLING", "CANCELLED")


class PrefectApi:
    """A destination of facts: the project's Prefect server, wherever it is at the moment.

    The process of a run is noted while Prefect shows it as Running (run_notes.py).

    Args:
        address: returns the API address of a server that answers; may start one.
        end_server: ends what `address` has started.
    """

    name = "Prefect"

    def __init__(
        self, root: Path, *, address: Callable[[], str], end_server: Callable[[], None]
    ) -> None:
        self._root, self._address, self._end_server = root, address, end_server
        self._client: httpx.Client | None = None
        self._is_stopping = self._has_mended = False

    def tell(self, facts: Sequence[Fact], told: Told) -> None:
        """Makes the calls for facts of one kind."""
        ids = told.ids
        match facts[0]:
            case Said():
                self._log([fact for fact in facts if isinstance(fact, Said)], ids)
            case Progress():
                self._show_progress([fact for fact in facts if isinstance(fact, Progress)], ids)
            case _:
                for fact in facts:
                    try:
                        self._tell_one(fact, ids)
                    except KeyError as error:
                        raise RefusedError(f"Prefect does not know {error}") from error

    def attend(self, told: Told) -> None:
        """Ends this process as a signal would where somebody cancels its run in Prefect."""
        if _RUN not in told.ids or self._is_stopping:
            return
        if not self._has_mended and self._client is not None:  # earlier runs have been told by now
            self._has_mended = True
            mend_runs(self._root, str(self._client.base_url).rstrip("/"))
        try:
            run = self._call("GET", f"/flow_runs/{told.ids[_RUN]}")
        except RefusedError:
            return  # somebody has deleted it
        if (run.get("state") or {}).get("type") in _STOPPING:
            self._is_stopping = True
            main = threading.main_thread().ident
            assert main is not None  # noqa: S101 - it has started
            signal.pthread_kill(main, signal.SIGTERM)

    def close(self) -> None:
        """Ends the connection, and the server if we have started it."""
        if self._client is not None:
            self._client.close()
        self._end_server()

    def _tell_one(self, fact: Fact, ids: dict[str, str]) -> None:
        match fact:
            case RunStarted():
                self._start_run(fact, ids)
            case BuildStarted():
                ids[_title(fact.build)] = fact.title
            case StageStarted():
                self._start_stage(fact, ids)
            case StageEnded():
                task = ids[_key(fact.build, fact.stage)]
                kind = fact.state.upper()
                self._set_state(f"/task_runs/{task}", kind, fact.name, fact.message)
            case RunEnded():
                kind = fact.state.upper()
                self._set_state(f"/flow_runs/{ids[_RUN]}", kind, None, fact.message)
                forget_process(self._root, ids[_RUN])
            case Table():
                rows = json.dumps(fact.rows, ensure_ascii=False)
                self._make("table", fact.key, rows, ids=ids, about=fact.description)
            case Page():
                self._make("markdown", fact.key, fact.markdown, ids=ids)
            case Picture() if fact.stage in _STAGES_WITH_PICTURES:
                # The picture itself as an address, which the UI shows without reading a file.
                address = f"data:image/png;base64,{fact.data}"
                key = f"plot-{fact.stage}-{fact.name}".lower()
                self._make("image", key, address, ids=ids, about=fact.name)
            case _:
                pass  # of MLflow alone

    def _start_run(self, fact: RunStarted, ids: dict[str, str]) -> None:
        self._name_run(fact, ids)
        ids[_FLOW] = fact.flow
        note_process(self._root, ids[_RUN], fact.process)

    def _name_run(self, fact: RunStarted, ids: dict[str, str]) -> None:
        if fact.flow_run is not None:  # a worker has made it for a form or a schedule
            ids[_RUN] = fact.flow_run
            self._call("PATCH", f"/flow_runs/{fact.flow_run}", {"name": fact.title})
            self._set_state(f"/flow_runs/{fact.flow_run}", "RUNNING", None, None, force=False)
            return
        flow = self._call("POST", "/flows/", {"name": fact.flow})["id"]
        wanted = {
            "flow_id": flow,
            "name": fact.title,
            "parameters": fact.parameters,
            "idempotency_key": fact.run,
            "state": {"type": "RUNNING"},
        }
        ids[_RUN] = self._call("POST", "/flow_runs/", wanted)["id"]

    def _start_stage(self, fact: StageStarted, ids: dict[str, str]) -> None:
        # A search's builds are its trials, and each says which it is; other runs have one build.
        title = ids.get(_title(fact.build), f"build {fact.build}")
        of_trial = f", {title}" if ids.get(_FLOW) == _SEARCH else ""
        wanted = {
            "flow_run_id": ids[_RUN],
            "name": f"{fact.stage}{of_trial}",
            "task_key": fact.stage,
            "dynamic_key": str(fact.build),
            "state": {"type": "RUNNING"},
        }
        made = self._call("POST", "/task_runs/", wanted)["id"]
        ids[_key(fact.build, fact.stage)] = made

    def _log(self, lines: Sequence[Said], ids: dict[str, str]) -> None:
        wanted = [
            {
                "name": "modelyard",
                "level": _ERROR if line.is_error else _INFO,
                "message": line.text[:_LONGEST_LINE],
                "timestamp": datetime.fromtimestamp(line.time, UTC).isoformat(),
                "flow_run_id": ids.get(_RUN),
                "task_run_id": ids.get(_key(line.build, line.stage)),
            }
            for line in lines
        ]
        self._call("POST", "/logs/", wanted)

    def _show_progress(self, facts: Sequence[Progress], ids: dict[str, str]) -> None:
        """Moves the bar of each stage to where it is last."""
        for fact in {(fact.build, fact.stage): fact for fact in facts}.values():
            key = f"{_key(fact.build, fact.stage)}/progress"
            if key in ids:
                self._call("PATCH", f"/artifacts/{ids[key]}", {"data": fact.share})
            else:
                task, about = ids.get(_key(fact.build, fact.stage)), f"How far {fact.stage} is"
                name = f"progress-{fact.stage}"
                made = self._make("progress", name, fact.share, ids=ids, about=about, task=task)
                ids[key] = made

    def _make(
        self,
        kind: str,
        key: str,
        data: str | float,
        *,
        ids: dict[str, str],
        about: str | None = None,
        task: str | None = None,
    ) -> str:
        wanted = {
            "type": kind,
            "key": "".join(c if c.isascii() and c.isalnum() else "-" for c in key),
            "data": data,
            "description": about,
            "flow_run_id": ids[_RUN],
            "task_run_id": task,
        }
        return str(self._call("POST", "/artifacts/", wanted)["id"])

    def _set_state(
        self, path: str, kind: str, name: str | None, message: str | None, *, force: bool = True
    ) -> None:
        state = {"type": kind, "name": name, "message": message}
        self._call("POST", f"{path}/set_state", {"state": state, "force": force})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        """The JSON of the answer.

        Raises:
            RefusedError: the server understood, and said no.
            httpx.HTTPError: it does not answer, or failed.
        """
        if self._client is None:
            # Its own addresses are reached without a proxy.
            self._client = httpx.Client(base_url=self._address(), timeout=_SECONDS, trust_env=False)
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TransportError:
            self._client = None  # the server is gone: look for another the next time
            raise
        if answer.is_client_error and answer.status_code not in _TRY_AGAIN:
            raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        answer.raise_for_status()
        return answer.json() if answer.content else None


def _key(build: int | None, stage: str | None) -> str:
    return f"{build}/{stage}"


def _title(build: int) -> str:
    return f"{build}/title"
