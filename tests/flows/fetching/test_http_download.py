"""A file comes whole over HTTP, whatever cuts it; what cannot come ends in one message. A real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.fetching.http_download import Download, download
from flows.fetching.partial_file import Edition, PartialFile
from flows.fetching.patience import Patience
from pipeline.core.errors import DataError
from tests.support.file_server import Answer, FileServer, running_files

BODY = b"text,label\n" + b"A fine, warm film,1\n" * 20_000
OTHER = BODY.replace(b"fine", b"dull")
IMPATIENT = Patience(connect=1.0, silence=0.2, attempts=3, pause=0.0)
ONE, TWO = {"ETag": '"one"'}, {"ETag": '"two"'}


@pytest.fixture(scope="module")
def files() -> Iterator[FileServer]:
    with running_files() as served:
        yield served


@pytest.fixture
def part(tmp_path: Path) -> PartialFile:
    return PartialFile(tmp_path / "part" / "tickets.csv")


def fetch(url: str, part: PartialFile, *, most: int = 10**9, **headers: str) -> bytes:
    shown = url.partition("?")[0]
    wanted = Download(url=url, shown=shown, of="source t", most=most, access="pay", headers=headers)
    download(wanted, part, IMPATIENT)
    return part.path.read_bytes()


@pytest.mark.parametrize("named", [True, False])
def test_a_file_comes_as_it_is(files: FileServer, part: PartialFile, named: bool) -> None:
    assert fetch(files.will("/t.csv", Answer(BODY, named=named)), part) == BODY


@pytest.mark.parametrize("mark", [ONE, {"Last-Modified": "Tue, 01 Dec 2026 00:00:00 GMT"}])
def test_a_download_that_was_cut_goes_on_where_it_ended(
    files: FileServer, part: PartialFile, mark: dict[str, str]
) -> None:
    files.seen.clear()
    cut = [Answer(BODY, headers=mark, sent=sent) for sent in (100_000, 100_000, 50_000)]
    assert fetch(files.will("/t.csv", *cut, Answer(BODY, headers=mark)), part) == BODY
    asked = [headers.get("range") for _, headers in files.seen]
    assert asked == [None, "bytes=100000-", "bytes=200000-", "bytes=250000-"]
    assert files.seen[-1][1]["if-range"] == next(iter(mark.values()))


def test_the_next_command_goes_on_with_what_an_earlier_one_has_begun(
    files: FileServer, part: PartialFile
) -> None:
    with pytest.raises(DataError, match="503 Service Unavailable"):
        fetch(files.will("/t.csv", Answer(BODY, headers=ONE, sent=1000), Answer(status=503)), part)
    files.seen.clear()
    assert fetch(files.will("/t.csv", Answer(BODY, headers=ONE)), part) == BODY
    assert files.seen[0][1]["range"] == "bytes=1000-"
    # All of it is here: the server is asked whether it still holds, and sends nothing.
    assert fetch(f"{files.address}/t.csv", part) == BODY
    assert files.seen[-1][1]["if-none-match"] == '"one"'


def test_halves_of_two_editions_are_never_put_together(
    files: FileServer, part: PartialFile
) -> None:
    begun = Answer(BODY, headers=ONE, sent=1000)
    assert fetch(files.will("/a", begun, Answer(OTHER, headers=TWO)), part) == OTHER
    part.forget()
    # A server that gives the rest of the new edition although the old one was asked for.
    rest = {**TWO, "Content-Range": f"bytes 1000-{len(OTHER) - 1}/{len(OTHER)}"}
    wrong = Answer(OTHER[1000:], status=206, headers=rest, ranges=False)
    url = files.will("/b", Answer(BODY, headers=ONE, sent=1000), wrong, Answer(OTHER, headers=TWO))
    assert fetch(url, part) == OTHER
    part.forget()
    # One that names no edition: what was begun may be of any, so it is begun anew.
    url = files.will("/c", Answer(BODY, sent=1000), Answer(OTHER))
    assert fetch(url, part) == OTHER


def test_another_place_of_the_same_edition_is_not_appended(
    files: FileServer, part: PartialFile
) -> None:
    rest = {**ONE, "Content-Range": f"bytes 900-{len(BODY) - 1}/{len(BODY)}"}
    wrong = Answer(BODY[900:], status=206, headers=rest, ranges=False)
    url = files.will("/t", Answer(BODY, headers=ONE, sent=1000), wrong, Answer(BODY, headers=ONE))
    assert fetch(url, part) == BODY


def test_a_weak_tag_marks_no_edition(files: FileServer, part: PartialFile) -> None:
    weak = {"ETag": 'W/"one"'}
    files.seen.clear()
    fetch(files.will("/t", Answer(BODY, headers=weak, sent=1000), Answer(BODY, headers=weak)), part)
    assert "range" not in files.seen[-1][1]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_fault_that_passes_is_waited_for(
    files: FileServer, part: PartialFile, status: int
) -> None:
    assert fetch(files.will("/t", Answer(status=status), Answer(BODY)), part) == BODY


def test_a_redirect_on_the_host_is_followed_and_the_secret_stays_on_the_origin(
    files: FileServer, part: PartialFile
) -> None:
    files.will("/t.csv", Answer(BODY))
    files.seen.clear()
    url = files.will("/go", Answer(status=302, headers={"Location": "/t.csv"}))
    assert fetch(url, part, Authorization="Bearer s3cret") == BODY
    assert [headers.get("authorization") for _, headers in files.seen] == ["Bearer s3cret"] * 2
    with running_files() as other:  # another port is another origin
        files.will("/go", Answer(status=302, headers={"Location": other.will("/t", Answer(BODY))}))
        assert fetch(url, part, Authorization="Bearer s3cret") == BODY
        assert "authorization" not in other.seen[-1][1]


LOGIN = b"<!DOCTYPE html><title>Sign in</title>"
BAD: dict[str, tuple[list[Answer], str]] = {
    "no file": ([Answer(status=404)], "answered with 404 Not Found"),
    "gone": ([Answer(status=410)], "410 Gone"),
    "no leave": ([Answer(LOGIN, status=403)], "403 Forbidden"),
    "unknown": ([Answer(LOGIN, status=401)], "401 Unauthorized"),
    "broken": ([Answer(status=500)], "500 Internal Server Error; 3 attempts"),
    "silent": ([Answer(BODY, wait=3.0)], "fell silent"),
    "cut": ([Answer(BODY, headers=ONE, sent=0)], "the connection was cut"),
    "cut anew": ([Answer(BODY, sent=1000)], "the connection was cut"),
    "large": ([Answer(b"x" * 2_000_000)], "2.0 MB or more"),
    "large, unnamed": ([Answer(b"x" * 2_000_000, named=False)], "MB or more"),
    "private": ([Answer(status=302, headers={"Location": "http://localhost/t"})], "a private add"),
    "metadata": ([Answer(status=307, headers={"Location": "http://169.254.169.254/"})], "private"),
    "local": ([Answer(status=302, headers={"Location": "file:/etc/passwd"})], "leads to"),
    "loop": ([Answer(status=302, headers={"Location": "/t"})], "leads on more than 10 times"),
    "nowhere": ([Answer(status=302, headers={"Location": "http://[::"})], "location header"),
    "ever new": (
        [Answer(BODY, headers={"ETag": f'"{n}"'}, sent=1000, ranges=False) for n in range(9)],
        "3 attempts",
    ),
    "nothing asked": ([Answer(BODY, status=206, ranges=False)], "changed while it was downloaded"),
    "no rest": ([Answer(BODY, status=416, ranges=False)], "has changed"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_fault_gives_one_message_without_a_secret(
    files: FileServer, part: PartialFile, case: str
) -> None:
    answers, message = BAD[case]
    with pytest.raises(DataError) as error:
        fetch(
            f"{files.will('/t', *answers)}?token=s3cret",
            part,
            most=1_000_000,
            Authorization="Bearer s3cret",
        )
    assert message in error.value.got
    assert error.value.got.startswith("source t: ")
    assert "s3cret" not in str(error.value)


def test_a_host_that_is_not_there_and_headers_that_are_none_give_one_message_each(
    files: FileServer, part: PartialFile
) -> None:
    with pytest.raises(DataError, match="no connection to the server"):
        fetch("http://127.0.0.1:9/t.csv", part)
    with pytest.raises(DataError, match="cannot be asked for") as error:
        fetch(files.will("/t", Answer(BODY)), part, Authorization="s3cret\nX: 1")
    assert "s3cret" not in str(error.value)
    with pytest.raises(DataError, match="cannot be asked for"):
        fetch("ftp://127.0.0.1/t.csv", part)


def test_bytes_whose_edition_nobody_noted_are_not_continued(part: PartialFile) -> None:
    part.begin(Edition(mark='"one"', total=10))
    part.path.write_bytes(b"12345")
    assert part.edition == Edition(mark='"one"', total=10)
    part.path.with_name("begun.json").write_text('{"mark": ')
    assert part.edition == Edition()
