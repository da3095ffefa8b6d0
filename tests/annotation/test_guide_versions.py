"""Every version of the guide is kept: on the page, by hand, through a kill, and published with equal bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.annotation.guide_versions import (
    BY_HAND,
    GuideChangedError,
    GuideVersions,
    hash_of,
    publish_guide,
    read_versions,
)
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import DataError
from tests.support.small_disk import small_disk


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    (tmp_path / "annotations").mkdir()
    return tmp_path / "annotations"


def _open(folder: Path, annotations: Path) -> GuideVersions:
    times = _times()
    return GuideVersions(folder, file=annotations / "guide.md", clock=lambda: next(times))


def _times() -> Iterator[str]:
    return (f"2026-12-01T09:00:00.{number:03d}+00:00" for number in range(1000))


def test_a_saved_version_is_there_after_a_restart_with_who_and_why(
    tmp_path: Path, annotations: Path
) -> None:
    guide = _open(tmp_path / "live", annotations)
    assert (guide.text, guide.hash, guide.current) == ("", None, None)
    first = guide.save("Rule 1", base=None, who="p1", why="a beginning")
    guide.save("Rule 2\r\n", base=first.hash, who="p2", why="clearer")
    again = _open(tmp_path / "live", annotations)
    assert (again.text, again.hash) == ("Rule 2\r\n", hash_of("Rule 2\r\n"))
    told = [(each.who, each.why, each.base) for each in again.versions]
    assert told == [("p1", "a beginning", None), ("p2", "clearer", first.hash)]
    assert again.text_of(first.hash) == "Rule 1"
    assert not (annotations / "guide.md").exists()


def test_an_edit_of_an_older_version_is_refused_and_changes_nothing(
    tmp_path: Path, annotations: Path
) -> None:
    guide = _open(tmp_path / "live", annotations)
    first = guide.save("Rule 1", base=None, who="p1", why="a beginning")
    guide.save("Rule 2", base=first.hash, who="p1", why="clearer")
    for base in (None, first.hash, "no hash"):
        with pytest.raises(GuideChangedError) as error:
            guide.save("Mine", base=base, who="p2", why="mine")
        assert error.value.current == guide.current
    assert guide.text == "Rule 2"
    with pytest.raises(DataError, match="without a change"):
        guide.save("Rule 2", base=guide.hash, who="p2", why="mine")


def test_what_is_written_into_the_file_by_hand_becomes_the_newest_version(
    tmp_path: Path, annotations: Path
) -> None:
    (annotations / "guide.md").write_text("By hand")
    guide = _open(tmp_path / "live", annotations)
    assert (guide.text, guide.versions[0].who) == ("By hand", BY_HAND)
    (annotations / "guide.md").write_text("By hand, again")
    with pytest.raises(GuideChangedError):  # before anybody has looked
        guide.save("Mine", base=hash_of("By hand"), who="p1", why="mine")
    assert guide.text == "By hand, again"
    assert guide.look_at_file() is None
    assert len(_open(tmp_path / "live", annotations).versions) == 2


def test_an_older_text_that_is_put_back_by_hand_counts_too(
    tmp_path: Path, annotations: Path
) -> None:
    live, file = tmp_path / "live", annotations / "guide.md"
    file.write_text("Old")
    guide = _open(live, annotations)
    guide.save("New", base=guide.hash, who="p1", why="newer")
    assert _open(live, annotations).text == "New"  # the file is merely older
    publish_guide(live, annotations)
    assert file.read_text() == "New"
    file.write_text("Old")
    assert _open(live, annotations).text == "Old"


def test_an_edit_by_hand_of_an_older_text_says_that_it_was_one(
    tmp_path: Path, annotations: Path
) -> None:
    (annotations / "guide.md").write_text("Old")
    guide = _open(tmp_path / "live", annotations)
    new = guide.save("New", base=guide.hash, who="p1", why="newer")
    (annotations / "guide.md").write_text("Old, by hand")
    added = guide.look_at_file()
    assert added is not None
    assert added.base == hash_of("Old")
    assert added.base != new.hash
    assert guide.text_of(new.hash) == "New"


def test_equal_versions_are_published_with_equal_bytes_and_the_file_gets_the_newest(
    tmp_path: Path, annotations: Path
) -> None:
    guide = _open(tmp_path / "live", annotations)
    first = guide.save("Rule 1", base=None, who="p1", why="a beginning")
    guide.save("Rule 2", base=first.hash, who="p1", why="clearer")
    said = publish_guide(tmp_path / "live", annotations)
    assert said == {"hash": guide.hash, "versions": 2, "edited_by_hand": False}
    bytes_of = {path: path.read_bytes() for path in sorted(annotations.rglob("*.*"))}
    names = {"guide.md", f"{first.hash}.md", f"{guide.hash}.md", "log.jsonl"}
    assert {path.name for path in bytes_of} == names
    assert publish_guide(tmp_path / "live", annotations) == said
    assert {path: path.read_bytes() for path in bytes_of} == bytes_of
    assert (annotations / "guide.md").read_text() == "Rule 2"


def test_a_file_that_was_edited_by_hand_is_not_overwritten(
    tmp_path: Path, annotations: Path
) -> None:
    guide = _open(tmp_path / "live", annotations)
    guide.save("Rule 1", base=None, who="p1", why="a beginning")
    (annotations / "guide.md").write_text("By hand")
    said = publish_guide(tmp_path / "live", annotations)
    assert said is not None
    assert said["edited_by_hand"]
    assert (annotations / "guide.md").read_text() == "By hand"
    assert _open(tmp_path / "live", annotations).text == "By hand"


def test_a_clone_of_the_project_goes_on_with_the_published_versions(
    tmp_path: Path, annotations: Path
) -> None:
    guide = _open(tmp_path / "live", annotations)
    guide.save("Rule 1", base=None, who="p1", why="a beginning")
    guide.save("Rule 2", base=guide.hash, who="p1", why="clearer")
    publish_guide(tmp_path / "live", annotations)
    clone = _open(tmp_path / "elsewhere", annotations)
    assert clone.versions == guide.versions
    assert clone.text == "Rule 2"


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_a_kill_cut_short_is_set_aside(
    tmp_path: Path, annotations: Path, cut: int
) -> None:
    guide = _open(tmp_path / "live", annotations)
    first = guide.save("Rule 1", base=None, who="p1", why="a beginning")
    guide.save("Rule 2", base=first.hash, who="p1", why="clearer")
    log = tmp_path / "live" / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-cut])
    again = _open(tmp_path / "live", annotations)
    assert again.text == "Rule 1"
    again.save("Rule 2", base=first.hash, who="p1", why="clearer")
    assert [each.why for each in read_versions(tmp_path / "live")] == ["a beginning", "clearer"]


def test_a_full_disk_is_said_and_the_guide_stays(tmp_path: Path) -> None:
    with small_disk(tmp_path / "live", kilobytes=64) as disk:
        guide = GuideVersions(tmp_path / "live")
        guide.save("Rule 1", base=None, who="p1", why="a beginning")
        long = "word " * 40_000
        with pytest.raises(DiskFullError):
            guide.save(long, base=guide.hash, who="p1", why="longer")
        assert guide.text == "Rule 1"
        disk.grow()
        guide.save(long, base=guide.hash, who="p1", why="longer")
        assert GuideVersions(tmp_path / "live").text == long


@pytest.mark.parametrize("line", ["{}\n", "no JSON\n", '{"v": 1, "hash": 3}\n'])
def test_a_damaged_log_is_said(tmp_path: Path, line: str) -> None:
    (tmp_path / "log.jsonl").write_text(line)
    with pytest.raises(DataError, match="line 1"):
        GuideVersions(tmp_path)


def test_a_file_that_is_not_utf_8_is_said(tmp_path: Path, annotations: Path) -> None:
    (annotations / "guide.md").write_bytes("가나".encode("cp949"))
    with pytest.raises(DataError, match=r"guide\.md"):
        _open(tmp_path / "live", annotations)
