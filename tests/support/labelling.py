"""A project whose validate has run, and its annotation server as a real process."""

import json
import multiprocessing
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from flows.annotate import Request, annotate
from pipeline.annotation.event_log import read_log
from pipeline.annotation.events import Kept
from pipeline.annotation.order_keeper import Rescore
from pipeline.annotation.score_file import SCORES_FILE
from pipeline.annotation.score_request import ScoreRequest
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import log_file
from pipeline.core.artifacts.table_columns import ValidatedCorpus, ValidatedRecords
from pipeline.data.tables import GROUP_ROWS
from tests.support.repository import PARAMS

PRODUCT = "letters"
LABELS = ("complaint", "question")

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.labelling", "pipeline.annotation.label_server"])


def row_id(number: int) -> str:
    """An id; ids are in the order of the numbers, and so is the queue."""
    return f"{number:016x}"


def make_project(
    root: Path,
    texts: Sequence[str],
    *,
    second: Sequence[str] = (),
    labels: Sequence[str] = LABELS,
    problem: str = "classification",
) -> Path:
    """Writes a project whose rows, all without a label, are the texts; returns its folder.

    Args:
        second: the second texts of pairs.
    """
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(PARAMS, root / "params.yaml")
    product = {"name": PRODUCT, "labels": [*labels], "problem": problem, "pairs": bool(second)}
    columns = {"text_column": "text", "label_column": "label"}
    columns |= {"label_separator": "|"} if problem == "multi_label" else {}
    columns |= {"second_text_column": "second"} if second else {}
    sources = [{"name": "mail", "path": "mail.csv", **columns}]
    for name in ("product.yaml", "build.yaml"):
        (root / name).write_text(
            yaml.safe_dump({"product": product, "sources": sources}), encoding="utf-8"
        )
    (root / "annotations").mkdir(exist_ok=True)
    write_rows(root, texts, second)
    return root


def write_rows(root: Path, texts: Sequence[str], second: Sequence[str] = ()) -> None:
    """Writes what validate leaves, without labels: the corpus or, of pairs, the records."""
    ids = [row_id(number) for number in range(len(texts))]
    strings = pa.string()
    columns = {
        "id": pa.array(ids),
        "source": pa.array(["mail"] * len(texts)),
        "text": pa.array([*texts], strings),
        "label": pa.nulls(len(texts), strings),
    }
    if second:
        columns |= {"second": pa.array([*second], strings), "cluster": pa.array(ids)}
    kind = ValidatedRecords if second else ValidatedCorpus
    path = root / "artifacts" / kind.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=GROUP_ROWS)


@dataclass(frozen=True)
class LabelServer:
    """A running annotation server, in a process of its own.

    Attributes:
        links: name → link.
        queue: how many rows wait.
    """

    process: BaseProcess
    links: dict[str, str]
    queue: int

    def client(self, name: str) -> httpx.Client:
        """A client that acts for a person."""
        url, _, token = self.links[name].partition("#")
        return httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    @property
    def port(self) -> int:
        return httpx.URL(next(iter(self.links.values()))).port or 0

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.join(10)


@contextmanager
def label_server(
    root: Path, people: str = "ann", *, double: float = 0.0, port: int = 0, **options: Any
) -> Iterator[LabelServer]:
    """Runs `flows.annotate.annotate` in a process that ends with the block.

    The process is forked from one that has all modules loaded, so that it starts in some milliseconds;
    tests/flows/test_annotate.py starts it from the command line. Rows are scored by nobody; scores that lie
    in the folder count.

    Args:
        options: others of `Request`.
    """
    request = Request(
        product="",
        people=people,
        port=port,
        host="127.0.0.1",
        double=double,
        new_links=False,
        json=True,
        **options,
    )
    heard, says = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_annotate, args=(root, request, says), daemon=True)
    process.start()
    says.close()
    try:
        told: dict[str, Any] = json.loads(heard.recv())
        links = {person["name"]: person["link"] for person in told["people"]}
        yield LabelServer(process, links, told["queue"])
    finally:
        heard.close()
        process.kill()
        process.join(10)


def _annotate(root: Path, request: Request, says: Connection) -> None:
    """Runs in the new process, which tells the line with the links."""
    module: Any = import_module(annotate.__module__)

    def tell(line: str) -> None:
        says.send(line)

    module.say = tell
    annotate(root, request, scorer=_nobody)


def _nobody(request: ScoreRequest, *, root: Path, tell: Callable[[str], None]) -> Rescore:
    def wait(ends: threading.Event) -> Path:
        ends.wait()
        return Path(request.folder) / SCORES_FILE

    return wait


def vote(uid: str, row: str, *labels: str, **more: Any) -> dict[str, Any]:
    """A vote as the page sends it."""
    return {"uid": uid, "event": "vote", "row": row, "labels": [*labels], **more}


def post(client: httpx.Client, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """Sends events; returns what the server says of each."""
    answer = client.post("/api/events", json=[*events])
    assert answer.status_code == 200, answer.text
    said: list[dict[str, Any]] = answer.json()["events"]
    return said


def logged(root: Path, person: str = "p1") -> list[Kept]:
    """The events in a person's log, its chain checked."""
    return [*read_log(log_file(root / ".modelyard" / "annotation" / PRODUCT, person))]


def standing(root: Path, person: str = "p1") -> dict[str, tuple[str, ...]]:
    """Row → labels that stand; of a skip ("skip",)."""
    answers = Answers()
    for kept in logged(root, person):
        answers.take(kept)
    return {
        kept.event.row: ("skip",) if kept.event.event == "skip" else kept.event.labels
        for kept in answers.latest()
    }
