"""The log of one person's events: nothing acknowledged is lost, doubled or changed unseen."""

import json
import random
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.annotation.event_log import TORN, EventLog
from pipeline.annotation.events import Event, Kept
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import DataError

TIME = "2026-12-01T09:00:00.000+00:00"


def _vote(number: int, *, label: str = "good") -> tuple[Event, str]:
    event = Event(uid=f"u{number}", event="vote", row=f"{number:016x}", labels=(label,))
    return event, "a" * 64


def _opened(path: Path) -> tuple[EventLog, list[Kept]]:
    seen: list[Kept] = []
    return EventLog(path, each=seen.append), seen


def _written(path: Path, count: int) -> list[Kept]:
    log, seen = _opened(path)
    for number in range(count):
        log.add([_vote(number)], person="p1", time=TIME)
    log.close()
    return seen


def test_events_are_read_again_in_order(tmp_path: Path) -> None:
    written = _written(tmp_path / "p1.jsonl", 5)
    log, read = _opened(tmp_path / "p1.jsonl")
    assert read == written
    assert [kept.seq for kept in read] == [1, 2, 3, 4, 5]
    assert log.events == 5


def test_an_event_that_comes_twice_is_one_event(tmp_path: Path) -> None:
    log, seen = _opened(tmp_path / "p1.jsonl")
    first = log.add([_vote(1), _vote(2), _vote(1)], person="p1", time=TIME)
    again = log.add([_vote(2), _vote(3)], person="p1", time=TIME)
    assert (first, again) == ([1, 2, 1], [2, 3])
    assert [kept.event.uid for kept in seen] == ["u1", "u2", "u3"]
    assert len((tmp_path / "p1.jsonl").read_text().splitlines()) == 3


def test_an_event_that_came_before_a_restart_is_known(tmp_path: Path) -> None:
    _written(tmp_path / "p1.jsonl", 3)
    log, _ = _opened(tmp_path / "p1.jsonl")
    assert log.add([_vote(1)], person="p1", time=TIME) == [2]
    assert log.events == 3


def test_each_line_holds_the_hash_of_the_line_before(tmp_path: Path) -> None:
    _written(tmp_path / "p1.jsonl", 3)
    lines = [json.loads(line) for line in (tmp_path / "p1.jsonl").read_text().splitlines()]
    assert lines[0]["prev"] == ""
    assert len({line["prev"] for line in lines}) == 3


@pytest.mark.parametrize(
    "every", [8, pytest.param(1, marks=pytest.mark.soak)], ids=["some", "each"]
)
def test_a_log_cut_at_any_of_its_last_400_bytes_opens(tmp_path: Path, every: int) -> None:
    path = tmp_path / "p1.jsonl"
    _written(path, 6)
    whole = path.read_bytes()
    for cut in range(1, 401, every):
        for file in tmp_path.iterdir():
            file.unlink()
        path.write_bytes(whole[:-cut])
        complete = whole[:-cut].count(b"\n")
        log, seen = _opened(path)
        assert log.events == len(seen) == complete
        assert log.add([_vote(99)], person="p1", time=TIME) == [complete + 1]
        log.close()
        assert _opened(path)[0].events == complete + 1
        torn = path.with_name(path.name + TORN)
        rest = whole[:-cut].rpartition(b"\n")[2]
        assert (torn.read_bytes() if torn.exists() else b"") == (rest + b"\n" if rest else b"")


@pytest.mark.parametrize(
    ("change", "line"),
    [("a label altered", 3), ("a line removed", 3), ("a line doubled", 3), ("no JSON", 2)],
)
def test_a_line_that_was_changed_by_hand_is_named(tmp_path: Path, change: str, line: int) -> None:
    path = tmp_path / "p1.jsonl"
    _written(path, 5)
    lines = path.read_text().splitlines()
    if change == "a label altered":
        lines[1] = lines[1].replace("good", "evil")
    elif change == "a line removed":
        del lines[2]
    elif change == "a line doubled":
        lines.insert(2, lines[1])
    else:
        lines[1] = lines[1][:40]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError) as error:
        _opened(path)
    assert f"line {line} of p1.jsonl" in error.value.got


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Lets no file of this process grow beyond so many bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_fails_adds_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "p1.jsonl"
    log, seen = _opened(path)
    log.add([_vote(1)], person="p1", time=TIME)
    before = path.read_bytes()
    with _largest_file(len(before) + 50), pytest.raises((DiskFullError, OSError)):
        log.add([_vote(2), _vote(3)], person="p1", time=TIME)
    assert path.read_bytes() == before
    assert len(seen) == 1
    assert log.add([_vote(2), _vote(3)], person="p1", time=TIME) == [2, 3]
    assert _opened(path)[0].events == 3


def test_any_order_of_cut_and_append_keeps_the_chain(tmp_path: Path) -> None:
    chance, path, number = random.Random(5), tmp_path / "p1.jsonl", 0  # noqa: S311 - a sample, no secret
    for _ in range(40):
        log, _ = _opened(path)
        for _ in range(chance.randrange(4)):
            number += 1
            log.add([_vote(number)], person="p1", time=TIME)
        log.close()
        if path.exists() and chance.random() < 0.5:
            size = path.stat().st_size
            with path.open("r+b") as stream:
                stream.truncate(max(size - chance.randrange(300), 0))
    assert _opened(path)[0].events > 5
