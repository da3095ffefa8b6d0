"""A candidate answers a copy of real traffic, in idle time: what is kept of it, and what is not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from pipeline.core.errors import ArtifactError
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import LOOK_EVERY
from pipeline.judge.pair_log import Missed, PairLog
from pipeline.judge.pairs import Pair
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.shadow import QUEUE, UNJUDGED, Shadow
from tests.support.server import client_of, holder_of, run_server, wait_until
from tests.support.tiny_bundle import answer_opposite, make_tiny_bundle

TEXT = "a warm funny film"
SECRET = "good film number 4711"


class Stage:
    """A champion that serves, three bundles to try, and the file that names the candidate."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pointer, self.pairs = folder, folder / "candidate.json", folder / "shadow"
        self.hashes = {
            "champion": make_tiny_bundle(folder / "champion"),
            "good": make_tiny_bundle(folder / "good", seed=1),
            "opposite": make_tiny_bundle(folder / "opposite", change=answer_opposite),
        }
        self.holder = holder_of(folder / "champion")

    def try_(self, name: str, **options: Any) -> None:
        Candidacy(bundle=self.hashes[name], folder=name, **options).save(self.pointer)

    def log(self, name: str) -> PairLog:
        return PairLog(self.pairs, champion=self.hashes["champion"], candidate=self.hashes[name])

    def lines(self, name: str) -> list[Pair | Missed]:
        return list(self.log(name).read_new())

    def has_lines(self, name: str, count: int) -> bool:
        return len(self.lines(name)) == count

    @contextmanager
    def shadow(self, idle: Any = lambda: True, **options: Any) -> Iterator[Shadow]:
        source = options.get("source", self.pointer)
        shadow = Shadow(self.holder, source=source, pairs=self.pairs, idle=idle, pause=0.0)
        shadow.start()
        try:
            yield shadow
        finally:
            shadow.stop()

    def observed(self, shadow: Shadow, *texts: str) -> None:
        assert self.holder.current is not None
        model = self.holder.current
        shadow.observe(model, list(texts), model.text_model.predict(list(texts)), 0.1)


@pytest.fixture(name="stage")
def make_stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def opened(shadow: Shadow) -> None:
    """Waits until the candidate is loaded."""
    wait_until(lambda: shadow.trying)


def test_an_answered_request_is_answered_by_the_candidate_too(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow() as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT)
        wait_until(lambda: bool(stage.lines("good")))
    [pair] = stage.lines("good")
    assert isinstance(pair, Pair)
    assert (pair.failed, pair.same_label) == ((False, False), True)
    assert min(pair.milliseconds) > 0


def test_nothing_of_a_text_is_kept(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow() as shadow:
        opened(shadow)
        stage.observed(shadow, SECRET)
        wait_until(lambda: bool(stage.lines("good")))
    [line] = stage.log("good").path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line).keys() == {"failed", "milliseconds", "same_label", "confidence"}
    assert not any(word in line for word in SECRET.split())


def test_one_text_of_a_request_is_compared_so_that_copies_count_once(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow() as shadow:
        opened(shadow)
        stage.observed(shadow, *[TEXT] * 64)
        stage.observed(shadow, "bad")
        wait_until(lambda: len(stage.lines("good")) == 2)
    assert len(stage.lines("good")) == 2


def test_it_waits_while_the_server_has_work(stage: Stage) -> None:
    stage.try_("good")
    idle = threading.Event()
    asked = threading.Event()

    def is_idle() -> bool:
        asked.set()
        return idle.is_set()

    with stage.shadow(idle=is_idle) as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT)
        assert asked.wait(30)
        assert stage.lines("good") == []
        idle.set()
        wait_until(lambda: len(stage.lines("good")) == 1)


def dropped(stage: Stage) -> int:
    return sum(line.dropped for line in stage.lines("good") if isinstance(line, Missed))


def test_a_full_queue_drops_and_counts(stage: Stage) -> None:
    stage.try_("good")
    idle = threading.Event()
    with stage.shadow(idle=idle.is_set) as shadow:
        opened(shadow)
        for _ in range(QUEUE + 40):
            stage.observed(shadow, TEXT)
        idle.set()
        # Told once a second. The thread may hold one more, which it has taken from the queue.
        wait_until(lambda: dropped(stage) >= 39)
    assert 39 <= dropped(stage) <= 40


def test_an_end_does_not_wait_for_idle_time(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow(idle=lambda: False) as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT, TEXT)


def test_without_a_candidate_nothing_is_queued_or_written(stage: Stage) -> None:
    with stage.shadow() as shadow:
        stage.observed(shadow, TEXT)
        assert not shadow.trying
    assert not stage.pairs.exists()


def test_evidence_survives_a_restart(stage: Stage) -> None:
    stage.try_("opposite")
    with stage.shadow() as shadow:
        opened(shadow)
        for number in range(1, LOOK_EVERY):
            stage.observed(shadow, TEXT)
            wait_until(partial(stage.has_lines, "opposite", number))
        assert not shadow.rolled_back
    with stage.shadow() as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT)
        wait_until(lambda: shadow.rolled_back)
    with stage.shadow() as shadow:
        wait_until(lambda: shadow.rolled_back)
        assert not shadow.trying


def test_an_alarm_by_another_worker_ends_the_trial_here(stage: Stage) -> None:
    stage.try_("good", canary=1.0)
    with stage.shadow() as shadow:
        opened(shadow)
        assert shadow.canary() is not None
        other = stage.log("good")
        failed = Pair(
            failed=(False, True), milliseconds=(1.0, 1.0), same_label=None, confidence=None
        )
        for _ in range(LOOK_EVERY):
            other.append(failed)
        wait_until(lambda: shadow.canary() is None)
        assert shadow.rolled_back


def test_a_shadow_answers_no_caller_and_a_canary_its_share(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow() as shadow:
        opened(shadow)
        assert shadow.canary() is None
        stage.try_("good", canary=0.25)
        wait_until(lambda: shadow.canary() is not None)
        chosen = [shadow.canary() for _ in range(600)]
    answers = [model.bundle.hash for model in chosen if model is not None]
    assert set(answers) == {stage.hashes["good"]}
    # Of a quarter, but for one sample in a hundred thousand.
    assert 100 < len(answers) < 200


def test_a_canary_that_nobody_can_judge_gets_no_more_requests_until_there_is_idle_time(
    stage: Stage,
) -> None:
    idle = threading.Event()
    stage.try_("good", canary=1.0)
    with stage.shadow(idle=idle.is_set) as shadow:
        opened(shadow)
        chosen = [shadow.canary() for _ in range(UNJUDGED + 10)]
        assert sum(model is not None for model in chosen) == UNJUDGED
        stage.observed(shadow, TEXT)
        idle.set()
        wait_until(lambda: shadow.canary() is not None)


def test_a_busy_server_hears_of_an_end_too(stage: Stage) -> None:
    stage.try_("good", canary=1.0)
    with stage.shadow(idle=lambda: False) as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT)
        stage.pointer.unlink()
        wait_until(lambda: shadow.canary() is None)


def test_a_canary_says_in_its_answers_which_bundle_it_is(stage: Stage) -> None:
    stage.try_("good", canary=1.0)
    with stage.shadow() as shadow:
        opened(shadow)
        options = {"observers": [shadow.observe], "canary": shadow.canary}
        with client_of(stage.holder, **options) as client:
            answer = client.post("/predict", json={"text": TEXT}).json()
            assert answer["model"]["hash"] == stage.hashes["good"]
            assert answer["predictions"][0]["label"] == "positive"
        wait_until(lambda: len(stage.lines("good")) == 1)


def test_a_canary_that_answers_otherwise_is_rolled_back_by_its_own_traffic(stage: Stage) -> None:
    stage.try_("opposite", canary=1.0)
    with stage.shadow() as shadow, serving(stage.holder, shadow) as client:
        opened(shadow)

        def answering() -> str:
            answer = client.post("/predict", json={"text": TEXT}).json()
            return str(answer["model"]["hash"])

        assert answering() == stage.hashes["opposite"]
        wait_until(lambda: answering() == stage.hashes["champion"])
        assert shadow.rolled_back
        assert {answering() for _ in range(20)} == {stage.hashes["champion"]}


def test_a_new_champion_or_a_removed_file_ends_the_trial(stage: Stage) -> None:
    stage.try_("good")
    with stage.shadow() as shadow:
        opened(shadow)
        stage.pointer.unlink()
        wait_until(lambda: not shadow.trying)
        stage.try_("good")
        opened(shadow)
        stage.holder.load(stage.folder / "good")
        wait_until(lambda: not shadow.trying)


def test_a_folder_may_be_tried_as_it_is(stage: Stage) -> None:
    with stage.shadow(source=stage.folder / "good") as shadow:
        opened(shadow)
        stage.observed(shadow, TEXT)
        wait_until(lambda: len(stage.lines("good")) == 1)


def test_a_server_tries_the_candidate_of_its_command_line(stage: Stage, tmp_path: Path) -> None:
    names = ("--bundle", "champion"), ("--candidate", "good"), ("--pairs", "shadow")
    words = [word for flag, name in names for word in (flag, str(tmp_path / name))]
    with run_server(tmp_path, *words) as server:

        def compared() -> bool:
            answer = httpx.post(f"{server.url}predict", json={"text": TEXT})
            assert answer.json()["model"]["hash"] == stage.hashes["champion"]
            return len(stage.lines("good")) >= 3

        wait_until(compared)
        assert server.stop() == 0


def test_a_folder_that_is_no_bundle_is_refused_at_once(stage: Stage) -> None:
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        Shadow(stage.holder, source=stage.folder, pairs=stage.pairs, idle=lambda: True)


def test_a_candidate_that_answers_another_question_is_refused_and_the_reason_kept(
    stage: Stage,
) -> None:
    stage.hashes["other"] = make_tiny_bundle(stage.folder / "other", labels=("low", "high"))
    stage.try_("other")
    with stage.shadow() as shadow:
        wait_until(lambda: bool(stage.lines("other")))
        assert not shadow.trying
    [line] = stage.lines("other")
    assert isinstance(line, Missed)
    assert "'high', 'low'" in str(line.refused)


def test_a_damaged_candidate_is_refused_and_what_serves_goes_on(stage: Stage) -> None:
    with (stage.folder / "good" / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    stage.try_("good")
    with stage.shadow() as shadow, serving(stage.holder, shadow) as client:
        wait_until(lambda: bool(stage.lines("good")))
        assert client.post("/predict", json={"text": TEXT}).status_code == 200
    [line] = stage.lines("good")
    assert isinstance(line, Missed)
    assert "model.onnx" in str(line.refused)


def test_a_pointer_that_cannot_be_read_is_said_once_and_changes_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.pointer.write_text("{", encoding="utf-8")
    with stage.shadow() as shadow:
        wait_until(lambda: bool(caplog.records))
        stage.try_("good")
        opened(shadow)
    assert sum("cannot be read" in record.message for record in caplog.records) == 1


@contextmanager
def serving(holder: ModelHolder, shadow: Shadow) -> Iterator[TestClient]:
    options = {"observers": [shadow.observe], "canary": shadow.canary}
    with client_of(holder, scheduler=Scheduler(cores=1), **options) as client:
        yield client
