"""A part is there whole or not at all, and parts make a file only where each row stands in one."""

from pathlib import Path

import pytest

from pipeline.batch.part_store import DonePart, PartStore, open_parts
from pipeline.core.errors import ArtifactError, DataError

JOB = {"input_sha256": "a" * 64, "bundle": "b" * 64, "columns": None}
SOURCE = Path("in.csv")


def stop(folder: Path, *done: DonePart) -> None:
    """A batch that Ctrl-C ends after some parts."""

    def work() -> None:
        with open_parts(folder, JOB, again=False, source=SOURCE) as store:
            for part in done:
                store.add(part, lambda path: path.write_bytes(b"rows"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()


def test_parts_stay_when_the_work_stops_and_go_when_there_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "out.parts"
    stop(folder)
    assert not folder.exists()
    stop(folder, DonePart(0, 10, 2))
    (folder / ".half.part").write_bytes(b"what a kill left")
    with open_parts(folder, JOB, again=False, source=SOURCE) as store:
        assert store.has(0, 10)
        assert not store.has(10, 20)
        assert store.rows == 10
        assert [path.read_bytes() for path in store.files(10)] == [b"rows"]
    assert {path.name for path in folder.iterdir()} == {
        "job.json",
        "lock",
        "000000000000-000000000010-2.rows",
    }


def test_a_part_whose_writing_fails_is_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no room")

    with open_parts(tmp_path / "p", JOB, again=False, source=SOURCE) as store:
        with pytest.raises(OSError, match="no room"):
            store.add(DonePart(0, 10, 0), fail)
        assert not store.has(0, 10)
        assert PartStore(tmp_path / "p").done == {}


@pytest.mark.parametrize(
    "parts", [[(0, 10), (20, 30)], [(0, 10), (10, 20)], [(10, 30)], [(0, 20), (10, 30)]]
)
def test_rows_that_are_missing_or_there_twice_make_no_file(
    parts: list[tuple[int, int]], tmp_path: Path
) -> None:
    with open_parts(tmp_path / "p", JOB, again=False, source=SOURCE) as store:
        for start, end in parts:
            store.add(DonePart(start, end, 0), lambda path: path.write_bytes(b""))
        with pytest.raises(ArtifactError, match="start over with --again"):
            store.files(30)
        with pytest.raises(ArtifactError, match="rows"):
            store.has(parts[0][0], parts[0][1] + 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input_sha256": "c" * 64}, "in.csv has changed"),
        ({"bundle": "c" * 64}, "bundle cccccccccccc, where p was begun with bbbbbbbbbbbb"),
        ({"columns": ["id"]}, "other options: columns"),
    ],
)
def test_parts_of_another_job_are_refused_unless_it_starts_over(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    with open_parts(folder, JOB, again=False, source=SOURCE) as store:
        store.add(DonePart(0, 10, 0), lambda path: path.write_bytes(b""))
    other = {**JOB, **change}
    with (
        pytest.raises(DataError, match=words),
        open_parts(folder, other, again=False, source=SOURCE),
    ):
        pass
    with open_parts(folder, other, again=True, source=SOURCE) as store:
        assert store.done == {}
