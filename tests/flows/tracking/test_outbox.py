"""A run's facts outlast the run, a full disk and a kill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.tracking.facts import (
    BuildStarted,
    Fact,
    RunEnded,
    RunStarted,
    Said,
    StageEnded,
    StageStarted,
    from_line,
    to_line,
)
from flows.tracking.outbox import Outbox, Told, untold_folder, untold_outboxes
from pipeline.core.process_identity import this_process
from tests.support.repository import REPOSITORY

STARTED = RunStarted(
    time=1.0,
    run="r",
    flow="build",
    title="build",
    parameters={"changes": ["a=1"]},
    process=this_process(),
)
BUILD = BuildStarted(time=2.0, build=0, experiment="e", title="build", tags={}, kept="x")
STAGE = StageStarted(time=3.0, build=0, stage="label")
ENDED = StageEnded(
    time=4.0, build=0, stage="label", state="completed", name="Cached", message="", figures={"a": 1}
)
DONE = RunEnded(time=5.0, state="completed", message="good")


def said(text: str) -> Said:
    return Said(time=1.5, text=text)


def told(outbox: Outbox, name: str) -> None:
    outbox.keep_told(name, Told(position=outbox.size, ids={"0": "a"}))


@pytest.mark.parametrize("fact", [STARTED, BUILD, STAGE, ENDED, DONE, said("é\n\ud800")])
def test_a_fact_is_read_as_it_was_written(fact: Fact) -> None:
    line = to_line(fact)
    assert line.count(b"\n") == 1
    assert from_line(line) == fact


def test_what_another_version_wrote_is_a_line_of_text() -> None:
    assert from_line(b'{"fact": "Dream"}\n') == Said(time=0.0, text='{"fact": "Dream"}')


def test_a_destination_reads_on_where_it_was_and_the_outbox_goes_when_all_know_all(
    tmp_path: Path,
) -> None:
    outbox = Outbox(untold_folder(tmp_path) / "r.jsonl")
    for fact in (STARTED, BUILD, DONE):
        outbox.append(fact)
    (_, position), *_ = outbox.read(0)
    assert [fact for fact, _ in outbox.read(position)] == [BUILD, DONE]
    assert untold_outboxes(tmp_path) == []  # its run goes on
    told(outbox, "Prefect")
    outbox.close(["Prefect", "MLflow"])
    (again,) = untold_outboxes(tmp_path)
    assert list(again.facts()) == [STARTED, BUILD, DONE]
    told(again, "MLflow")
    again.close(["Prefect", "MLflow"])
    assert list(untold_folder(tmp_path).iterdir()) == []


def test_what_a_killed_run_left_open_is_ended_for_it(tmp_path: Path) -> None:
    outbox = Outbox(untold_folder(tmp_path) / "r.jsonl")
    for fact in (STARTED, BUILD, STAGE):
        outbox.append(fact)
    outbox.close(["Prefect"])
    with outbox.path.open("ab") as stream:
        stream.write(b'{"fact": "Sai')  # the power went
    (again,) = untold_outboxes(tmp_path)
    stage, _, run = list(again.facts())[3:]
    assert isinstance(stage, StageEnded)
    assert (stage.stage, stage.state) == ("label", "crashed")
    assert isinstance(run, RunEnded)
    assert run.state == "crashed"
    again.end_for_the_dead()
    assert len(list(again.facts())) == 6
    again.close(["Prefect"])


FULL = """
import resource, signal, sys
from pathlib import Path
from flows.tracking.outbox import Outbox
from tests.flows.tracking.test_outbox import DONE, said
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
outbox = Outbox(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
for number in range(40):
    outbox.append(said("x" * 60))
full = outbox.size
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
outbox.append(DONE)
print(full, len(list(outbox.facts())), list(outbox.facts())[-1] == DONE)
"""


def test_a_full_disk_stops_nobody_and_what_waited_is_written_when_there_is_room(
    tmp_path: Path,
) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "r.jsonl")],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    size, facts, last = answer.stdout.split()
    assert int(size) <= 2000, answer.stderr
    assert (facts, last) == ("41", "True")
