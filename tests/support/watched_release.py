"""Runs one release, rollback or repair and says as JSON lines what it writes that lasts; may be killed.

python watched_release.py ROOT KILL AT MLFLOW PORT COMMAND [BUNDLE]
"""

import json
import os
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from flows.release import keep_origin
from flows.serve import serve, tell_registry
from pipeline.core.errors import ReleaseError
from pipeline.core.process_identity import ProcessIdentity
from pipeline.release import durable, rollout
from pipeline.release.durable import Moment, Write
from pipeline.release.repair import repair
from pipeline.release.rollout import ReleaseRequest, Rollout
from pipeline.release.server_process import running_server
from pipeline.release.state import ReleaseState
from tests.support.releasing import PRODUCT, without_mlflow

ROOT, KILL, AT, MLFLOW, PORT, COMMAND = sys.argv[1:7]
STATE = ReleaseState(Path(ROOT), PRODUCT)
TRANSIENT = ("release.lock", "server.listening.json", "candidate.listening.json")
WRITING = os.O_WRONLY | os.O_RDWR


class Watcher:
    """Says each moment before and after a durable write, and kills at one of them."""

    def __init__(self) -> None:
        self.inside = False
        self.seen: Counter[str] = Counter()

    def __call__(self, write: Write, moment: Moment) -> None:
        self.inside = moment == "before"
        label = f"{write.value}, {moment}"
        self.seen[label] += 1
        label = f"{label}, {self.seen[label]}"
        if label == AT:
            kill()
        say(write=label)


WATCHER = Watcher()


def say(**what: str) -> None:
    print(json.dumps(what), flush=True)


def kill() -> None:
    if KILL == "command":
        os.kill(os.getpid(), signal.SIGKILL)
    server = running_server(STATE)
    victim: ProcessIdentity | None = None if server is None else server.process
    if KILL == "server" and victim is not None:
        os.kill(victim.pid, signal.SIGKILL)


def audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Says which files of the product or of the keys are changed outside a durable write."""
    if WATCHER.inside or event not in ("open", "os.rename", "os.remove", "os.link", "os.truncate"):
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
        return
    path = Path(os.fsdecode(arguments[0])) if not isinstance(arguments[0], int) else Path()
    state = Path(ROOT) / ".modelyard"
    if not path.is_relative_to(state) or path.name in TRANSIENT or path.parent.name == "logs":
        return
    # Opened for appending, so that it can be locked; what is written to it is a durable write.
    if event == "open" and path == STATE.ledger:
        return
    if path.name.startswith(tuple(f".{name}" for name in TRANSIENT)):
        return
    say(outside=f"{event} {path.name}")


def main() -> None:
    durable.watchers.append(WATCHER)
    if MLFLOW == "absent":
        sys.modules["mlflow"] = None  # type: ignore[assignment]
    steps = {"run_step": without_mlflow} if MLFLOW == "left out" else {}
    releases = Rollout(STATE.root, PRODUCT, **steps)
    if KILL == "nobody":
        sys.addaudithook(audit)
    if COMMAND in ("release", "fail"):
        if COMMAND == "fail":
            setattr(rollout, "verify", fail)  # noqa: B010 - mypy takes no other function for it
        bundle = Path(sys.argv[7])
        keep = partial(keep_origin, STATE, bundle)
        releases.release(ReleaseRequest(bundle=bundle, why="watched", port=int(PORT), keep=keep))
    elif COMMAND == "rollback":
        releases.roll_back("", why="watched", port=int(PORT))
        releases.register()
    elif COMMAND == "repair":
        with STATE.lock():
            repair(STATE)
    else:
        serve(STATE.root, PRODUCT, int(PORT))
        if MLFLOW != "left out":
            tell_registry(STATE.root, PRODUCT)


def fail(*_: object) -> None:
    raise ReleaseError("another answer", expected="the golden one", next_step="none")


if __name__ == "__main__":
    main()
