"""The benchmark of compression: its arithmetic, its table and its race."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from benchmarks.support import peer_table
from benchmarks.support.field import Contender
from benchmarks.support.peers import PeerError
from benchmarks.support.race import answers, joined, race, rotated
from benchmarks.support.texts import exact_texts
from benchmarks.support.turns import Take, Turn, serve_turns, take_turn, to_line
from tests.support.tiny_workspace import write_parquet


def right(*counts: int, rows: int = 100) -> np.ndarray:
    """Correct answers: for each seed the first `counts` rows of `rows`."""
    return (np.arange(rows) < np.array(counts)[:, None]).astype(np.float64)


def times(milliseconds: float) -> np.ndarray:
    """Three rounds of four requests, the last round disturbed."""
    found = np.full((3, 4), milliseconds)
    found[2] *= 5
    return found


def measured(
    answers: int,
    size: int,
    zipped: int | None = None,
    *,
    ms: Mapping[tuple[int, int], float] = MappingProxyType({}),
) -> peer_table.Measured:
    """A model that answers so many rows of a hundred, in `ms` by threads and tokens."""
    by_place = {place: times(value) for place, value in ms.items()}
    return peer_table.Measured(right=right(answers), bytes=size, zipped=zipped, times=by_place)


MEASURED = {
    "teacher-torch": measured(84, 90_000_000, 80_000_000, ms={(1, 32): 8.0, (2, 32): 10.0}),
    "teacher-fp32": measured(84, 91_000_000, 80_000_000, ms={(2, 32): 5.0}),
    "teacher-int8": measured(83, 24_000_000, 17_000_000, ms={(2, 32): 3.0}),
    "pruned-fp32": measured(81, 23_000_000, 20_000_000, ms={(2, 32): 1.0}),
    "pruned-int8": measured(80, 6_000_000, 4_000_000, ms={(2, 32): 0.5}),
    "student-torch": measured(82, 27_000_000, 25_000_000),
    "hard-labels": measured(78, 27_000_000, 25_000_000),
    "nblr": measured(76, 2_000_000, ms={(2, 32): 0.25}),
    "model2vec": peer_table.Measured(note="left out: no network"),
}


def test_every_ratio_is_of_the_release_to_what_its_name_says() -> None:
    found = peer_table.figures(MEASURED, release="pruned-int8", place=(2, 32))
    values = {name: figure and figure.value for name, figure in found.items()}
    assert values == pytest.approx(
        {
            "quality_kept": 80 / 84,
            "gap_closed": 0.5,
            "times_smaller": 15.0,
            "times_faster": 20.0,
            "times_smaller_same_precision": 4.0,
            "times_faster_same_runtime": 6.0,
            "int8_drop_points": 1.0,
            "vs_hard_labels_points": 2.0,
            "vs_model2vec_points": None,
            "distilled_vs_hard_labels_points": 4.0,
            "times_faster_at_best_threads": 16.0,
            "times_faster_same_runtime_at_best_threads": 6.0,
            "teacher_int8_drop_points": 1.0,
            "times_smaller_than_model2vec": None,
            "times_faster_than_model2vec": None,
            "times_smaller_than_nblr": 1 / 3,
            "times_faster_than_nblr": 0.5,
            "vs_nblr_points": 4.0,
        }
    )


def test_a_place_that_was_not_measured_gives_no_ratio_of_speed() -> None:
    found = peer_table.figures(MEASURED, release="pruned-int8", place=(1, 8))
    assert (found["times_faster"], found["times_smaller"]) == (None, peer_table.Figure(15.0))


def parts(found: peer_table.Figure | None) -> tuple[float, float, float]:
    """The value, and the ends of its interval."""
    assert found is not None
    assert found.interval is not None
    return found.value, *found.interval


def test_a_difference_has_an_interval_that_holds_it() -> None:
    value, low, high = parts(peer_table.points(right(80), right(76)))
    assert value == pytest.approx(4.0)
    assert 0.0 <= low <= 4.0 <= high <= 9.0


@pytest.mark.parametrize("counts", [(80,), (80, 90, 70)], ids=["one seed", "three seeds"])
def test_rows_and_seeds_are_paired_so_that_the_same_answers_differ_by_nothing(
    counts: tuple[int, ...],
) -> None:
    assert peer_table.points(right(*counts), right(*counts)) == peer_table.Figure(0.0, (0.0, 0.0))
    assert peer_table.share_kept(right(*counts), right(*counts)) == peer_table.Figure(
        1.0, (1.0, 1.0)
    )


def test_the_luck_of_seeds_widens_an_interval() -> None:
    steady, low, high = parts(peer_table.points(right(80, 80, 80), right(76, 76, 76)))
    lucky, lowest, highest = parts(peer_table.points(right(80, 90, 70), right(76, 76, 76)))
    assert steady == pytest.approx(lucky)
    assert highest - lowest > 2 * (high - low)


@pytest.mark.parametrize(("count", "closed"), [(84, 1.0), (76, 0.0)])
def test_the_gap_closed_is_whole_at_the_teacher_and_nothing_at_the_bar(
    count: int, closed: float
) -> None:
    assert parts(peer_table.gap_closed(right(count), right(84), baseline=right(76)))[0] == closed


def test_there_is_no_gap_where_the_teacher_is_no_better_than_the_baseline() -> None:
    assert peer_table.gap_closed(right(80), right(76), baseline=right(76)) is None
    assert peer_table.gap_closed(right(80), None, baseline=right(76)) is None


def test_one_disturbed_round_does_not_move_a_ratio_of_speed() -> None:
    value, low, high = parts(peer_table.times_faster(times(2.0), np.full((3, 4), 8.0)))
    assert value == pytest.approx(4.0)
    assert low < 4.0 <= high


def test_the_table_names_the_release_and_says_what_is_missing() -> None:
    lines = peer_table.table(MEASURED, [(2, 32), (1, 8)], release="pruned-int8").splitlines()
    row = next(line for line in lines if line.startswith("pruned-int8 *"))
    assert row.split() == ["pruned-int8", "*", "0.8000", "0.7112–0.8666", "6.00", "4.00",
                           "0.50/0.50", "—"]  # fmt: skip
    assert lines[-1] == "model2vec: left out: no network"
    assert next(line for line in lines if line.startswith("model2vec ")).split()[1:] == ["—"] * 6


def test_texts_have_exactly_the_tokens_asked_for() -> None:
    sentences = ["a b c", "d e", "f g h i"]
    found = exact_texts(sentences, tokens=4, count=3, length_of=lambda text: len(text.split()))
    assert found == ["a b c d", "d e f g", "f g h i"]


def test_too_few_sentences_for_the_texts_are_an_error() -> None:
    with pytest.raises(ValueError, match="0 of 1 texts of 9 tokens"):
        exact_texts(["a b"], tokens=9, count=1, length_of=lambda text: len(text.split()))


def test_each_contender_is_first_in_some_round() -> None:
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_a_turn_answers_or_is_timed_without_its_warm_up() -> None:
    asked: list[str] = []

    def answer(text: str) -> int:
        asked.append(text)
        return len(text)

    assert take_turn(answer, Turn(["a", "bb"])) == [1.0, 2.0]
    assert len(take_turn(answer, Turn(["a", "bb"], requests=3, warm_up=2))) == 3
    assert asked == ["a", "bb", "a", "bb", "a", "bb", "a"]


def test_turns_are_served_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(to_line(Turn(["a"])) + to_line(Turn(["bb"]))))
    serve_turns(len)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [[1.0], [2.0]]


@dataclass(frozen=True)
class InThisProcess:
    """An engine that needs no process, and ends after so many turns."""

    answer: int
    turns_left: list[int] = field(default_factory=lambda: [100])

    @contextmanager
    def turns(self, threads: int) -> Iterator[Take]:
        def take(turn: Turn) -> list[float]:
            if not self.turns_left[0]:
                raise PeerError("it ended")
            self.turns_left[0] -= 1
            return take_turn(lambda _: self.answer, turn)

        yield take


POSITIVE, NEGATIVE = InThisProcess(1), InThisProcess(0)


def test_all_who_are_there_race_at_every_place() -> None:
    contenders = {"one": Contender(POSITIVE), "absent": Contender(note="no network")}
    found = race(contenders, {8: ["a"], 32: ["b"]}, threads=[1, 2], rounds=3, requests=4)
    assert list(found) == ["one"]
    assert sorted(found["one"]) == [(1, 8), (1, 32), (2, 8), (2, 32)]
    assert {times.shape for times in found["one"].values()} == {(3, 4)}


def test_a_peer_that_ends_is_left_out_and_the_others_race_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    contenders = {"one": Contender(POSITIVE), "peer": Contender(InThisProcess(1, [2]))}
    found = race(contenders, {8: ["a"]}, threads=[1, 2], rounds=3, requests=4)
    assert list(found) == ["one"]
    assert {times.shape for times in found["one"].values()} == {(3, 4)}
    assert capsys.readouterr().out.count("peer  left out: it ended") == 1


def test_answers_are_those_to_the_test_rows(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "records.parquet",
        {
            "id": ["1", "2", "3"],
            "text": ["a", "b", "c"],
            "second": [None, None, None],
            "target": [[0.0], [1.0], [1.0]],
            "split": ["test", "train", "test"],
        },
    )
    contenders = {"one": Contender(POSITIVE), "other": Contender(NEGATIVE), "absent": Contender()}
    contenders["ended"] = Contender(InThisProcess(1, [0]))
    found = answers(contenders, tmp_path / "records.parquet")
    assert {name: share.tolist() for name, share in found.items()} == {
        "one": [[0.0, 1.0]],
        "other": [[1.0, 0.0]],
    }


def test_seeds_and_folds_are_joined_for_those_who_are_in_all() -> None:
    first, second = {"one": right(1, rows=2), "peer": right(2, rows=2)}, {"one": right(2, rows=2)}
    seeds, folds = (joined([first, second], axis=axis) for axis in (0, 1))
    assert {name: found.tolist() for name, found in seeds.items()} == {"one": [[1, 0], [1, 1]]}
    assert folds["one"].tolist() == [[1, 0, 1, 1]]
