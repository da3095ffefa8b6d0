"""A candidate beside the bundle in production: begun, told, ended, promoted; with the real server."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.console.candidate_words import as_json, as_text
from flows.execution.network import free_port
from flows.release import current_release
from flows.shadow_candidate import begin, end, promote, status
from flows.ui import stop
from pipeline.core.errors import ArtifactError, ReleaseError
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import LOOK_EVERY
from pipeline.judge.pair_log import Missed, PairLog
from pipeline.judge.pairs import Pair
from pipeline.release import ledger
from pipeline.release.server_process import running_server
from pipeline.release.state import ReleaseState
from tests.support.example_artifacts import verdict
from tests.support.releasing import released
from tests.support.server import wait_until
from tests.support.tiny_bundle import make_tiny_bundle

PRODUCT = "tiny-sentiment"
SAME = Pair(failed=(False, False), milliseconds=(1.0, 1.0), same_label=True, confidence=(0.9, 0.9))
FAILED = Pair(failed=(False, True), milliseconds=(1.0, 1.0), same_label=None, confidence=None)


class Place:
    """A folder with a champion that serves and a candidate that nobody has tried."""

    def __init__(self, root: Path) -> None:
        self.root, self.state = root, ReleaseState(root, PRODUCT)
        self.champion = make_tiny_bundle(root / "champion")
        self.candidate = make_tiny_bundle(root / "candidate", seed=1)

    def begin(self, **options: float) -> None:
        begin(self.root, self.root / "candidate", **options)

    def found(self, *lines: Pair | Missed) -> None:
        """Adds lines as a worker does."""
        log = PairLog(self.state.pairs, champion=self.champion, candidate=self.candidate)
        for line in lines:
            log.append(line)

    def named(self, **options: float) -> None:
        """Names the candidate for no server, as `begin` does for one."""
        folder = f"releases/{self.candidate}"
        Candidacy(bundle=self.candidate, folder=folder, **options).save(self.state.candidate)
        self.state.point_to(self.champion)

    def events(self) -> list[str]:
        return [entry.event for entry in ledger.read(self.state.ledger)]


@pytest.fixture(name="place")
def make_place(tmp_path: Path) -> Iterator[Place]:
    yield Place(tmp_path)
    stop(tmp_path)


def test_a_candidate_is_tried_on_real_requests_and_promoted_when_the_judge_says_so(
    place: Place,
) -> None:
    released(place.state, place.root / "champion")
    place.begin()
    server = running_server(place.state)
    assert server is not None

    def compared() -> bool:
        body = {"text": "a warm funny film"}
        httpx.post(f"{server.address.url}/predict", json=body).raise_for_status()
        return status(place.root, PRODUCT).judgement.pairs >= 3

    wait_until(compared)
    with pytest.raises(ReleaseError, match="more requests are needed"):
        promote(place.root, PRODUCT, wait=False)
    place.found(*[SAME] * 1500)
    result = promote(place.root, PRODUCT, wait=True, port=free_port())
    assert (result.hash, result.outcome) == (place.candidate, "promoted")
    current = current_release(place.root, PRODUCT)
    assert current is not None
    assert (current.hash, current.healthy) == (place.candidate, True)
    assert not place.state.candidate.exists()
    assert "the judge said promote after" in ledger.read(place.state.ledger)[-1].why


def test_a_bundle_in_production_or_beside_another_is_not_tried(place: Place) -> None:
    with pytest.raises(ReleaseError, match="no server of tiny-sentiment"):
        place.begin()
    released(place.state, place.root / "champion")
    with pytest.raises(ReleaseError, match="in production"):
        begin(place.root, place.root / "champion")
    place.begin(canary=0.05)
    make_tiny_bundle(place.root / "third", seed=2)
    with pytest.raises(ReleaseError, match="beside another candidate"):
        begin(place.root, place.root / "third")
    assert place.events()[-1] == "canary"
    end(place.root, PRODUCT)
    assert place.events()[-1] == "canary_ended"


def test_a_damaged_bundle_is_not_tried(place: Place) -> None:
    with (place.root / "candidate" / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtifactError, match=r"model\.onnx"):
        place.begin()
    assert not place.state.candidate.exists()


def test_without_a_candidate_there_is_no_status_and_nothing_to_end(place: Place) -> None:
    for act in (status, end):
        with pytest.raises(ReleaseError, match="no candidate of tiny-sentiment"):
            act(place.root, PRODUCT)


def test_a_candidate_that_is_worse_is_not_promoted_and_its_end_is_in_the_ledger(
    place: Place,
) -> None:
    place.named(canary=0.05)
    place.found(*[FAILED] * LOOK_EVERY)
    found = status(place.root, PRODUCT)
    assert found.judgement.outcome == "roll back"
    assert "roll back, after 50 requests: error" in as_text(found)
    with pytest.raises(ReleaseError, match="roll back"):
        promote(place.root, PRODUCT, wait=True, seconds=0.0)
    end(place.root, PRODUCT)
    assert place.events() == ["canary_ended", "refused"]
    assert not place.state.candidate.exists()


def test_a_status_tells_what_was_not_compared_and_why_a_candidate_cannot_be_tried(
    place: Place,
) -> None:
    place.named()
    place.found(SAME, Missed(dropped=7), Missed(refused="no memory"))
    found = status(place.root, PRODUCT)
    assert (found.judgement.pairs, found.dropped, found.refused) == (1, 7, "no memory")
    assert not found.open
    assert "no memory" in as_text(found)
    place.found(SAME)
    assert status(place.root, PRODUCT).refused is None


def test_a_status_for_a_program_has_every_stream_with_its_mean(place: Place) -> None:
    place.named()
    place.found(SAME, FAILED)
    streams = as_json(status(place.root, PRODUCT))["judgement"]["streams"]
    assert [(stream["name"], stream["mean"]) for stream in streams] == [
        ("error", 0.5),
        ("slower", 0.0),
        ("other label", 0.0),
        ("less sure", 0.0),
    ]


def test_a_bundle_that_the_gate_did_not_pass_is_not_tried(place: Place) -> None:
    gate = place.root / "artifacts" / "gate"
    make_tiny_bundle(gate / "bundle", seed=1)
    verdict(passed=False).save(gate / "verdict.json")
    with pytest.raises(ReleaseError, match="not passed"):
        begin(place.root, gate / "bundle")
    assert not place.state.candidate.exists()
