"""Whatever an address, a bucket or a database gives in place of texts: one message, and nothing half-written.

By the command line, as a person fetches; the servers are real: HTTP, moto's S3, SQLite.
"""

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from flows import cli
from flows.fetching import fetch as fetching
from flows.fetching.patience import Patience
from pipeline.data.layout import LONGEST_ROW
from tests.support.file_server import Answer, FileServer, running_files
from tests.support.repository import PARAMS
from tests.support.s3 import running_s3

CSV = b"text,label\nFine.,positive\nDull.,negative\n"
PRODUCT = {"name": "shop", "labels": ["negative", "positive"]}
IMPATIENT = Patience(connect=1.0, silence=0.3, attempts=2, pause=0.0)
Run = Callable[..., str]


@pytest.fixture(scope="module")
def files() -> Iterator[FileServer]:
    with running_files() as served:
        yield served


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with running_s3(bucket="texts") as address:
        yield address


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Fetches one source, which must fail in one message; returns the message."""
    (tmp_path / "data").mkdir()
    (tmp_path / "params.yaml").write_bytes(PARAMS.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    monkeypatch.setattr(fetching, "Patience", lambda: IMPATIENT)

    def run(**source: Any) -> str:
        usual = {"name": "t", "text_column": "text", "label_column": "label", "licence": "own"}
        product = {"product": PRODUCT, "sources": [usual | source]}
        (tmp_path / "product.yaml").write_text(yaml.safe_dump(product), encoding="utf-8")
        assert cli.main(["data", "fetch"]) == 1
        said, error = capsys.readouterr()
        assert [error.count(word) for word in ("got: ", "expected: ", "next: ")] == [1, 1, 1]
        assert "Traceback" not in error
        assert "s3cret" not in said + error
        assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []
        return error

    return run


def packed(name: str, content: bytes) -> bytes:
    """A zip archive of one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


LOGIN = b"\n<!DOCTYPE html>\n<html><title>Sign in</title></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 512\n" % (b"cd" * 32)
WRONG_HASH = {"sha256": "0" * 64}

# What a server may give for a file, whichever server it is: name, content, other keys, words of the message.
CONTENTS: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "a login page": ("t.csv", LOGIN, {}, "a web page of"),
    "nothing": ("t.csv", b"", {}, "is empty"),
    "a pointer": ("t.csv", LFS, {}, "a git-lfs pointer"),
    "an archive": ("t.csv", packed("t.csv", CSV), {}, "a ZIP archive"),
    "other bytes": ("t.csv", CSV, WRONG_HASH, "what came has sha256"),
    "a page, pinned": ("t.csv", LOGIN, WRONG_HASH, "a web page of"),
    "too much": ("t.csv", CSV * 1000, {"max_mb": 0.01}, "MB or more"),
    "another encoding": ("t.csv", "text,label\né,negative\n".encode("cp1252"), {}, "not UTF-8"),
    "no such column": ("t.csv", CSV.replace(b"text", b"body"), {}, "has no column 'text'"),
    "a column twice": ("t.csv", b"text,text,label\na,b,positive\n", {}, "there twice"),
    "a cut .gz": ("t.csv.gz", gzip.compress(CSV * 99, mtime=0)[:60], {}, "cannot be unpacked"),
    "no Parquet": ("t.parquet", CSV, {}, "not Parquet"),
    "no JSON": ("t.jsonl", CSV, {}, "not JSON"),
    "a long line": ("t.csv", b"text,label\n" + b"x" * (LONGEST_ROW + 9), {}, "of more than"),
    "no kind of file": ("t", CSV, {}, "says no kind of file"),
    "an unknown kind": ("t.docx", CSV, {}, "says no kind of file"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_what_an_address_gives_in_place_of_texts_is_refused(
    files: FileServer, refused: Run, case: str
) -> None:
    name, content, keys, words = CONTENTS[case]
    url = files.will(f"/{name}", Answer(content, headers={"ETag": '"one"'}))
    assert words in refused(url=f"{url}?token=${{SHOP_TOKEN}}", **keys)


@pytest.mark.parametrize("case", CONTENTS)
def test_what_a_bucket_gives_in_place_of_texts_is_refused(
    s3: str, refused: Run, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content, keys, words = CONTENTS[case]
    use_bucket(s3, monkeypatch)
    key = f"texts/{case.replace(' ', '-')}/{name}"
    httpx.put(f"{s3}/{key}", content=content, trust_env=False).raise_for_status()
    assert words in refused(url=f"s3://{key}", **keys)


def use_bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "us")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([Answer(status=404)], "404 Not Found"),
        ([Answer(LOGIN, status=401)], "401 Unauthorized"),
        ([Answer(status=500)], "500 Internal Server Error; 2 attempts"),
        ([Answer(CSV, wait=2.0)], "fell silent"),
        ([Answer(CSV, sent=9)], "the connection was cut"),
        ([Answer(status=302, headers={"Location": "http://localhost:1/"})], "a private address"),
        ([Answer(status=302, headers={"Location": "/t.csv"})], "leads on more than"),
        (
            [Answer(CSV, headers={"ETag": f'"{n}"'}, sent=9, ranges=False) for n in range(5)],
            "the connection was cut",
        ),
    ],
)
def test_what_a_server_does_in_place_of_an_answer_is_told(
    files: FileServer, refused: Run, answers: list[Answer], words: str
) -> None:
    url = files.will("/t.csv", *answers)
    headers = {"Authorization": "Bearer ${SHOP_TOKEN}"}
    assert words in refused(url=f"{url}?token=${{SHOP_TOKEN}}", headers=headers)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/t.csv", "no connection to the server"),
        ("https://127.0.0.1:9/t.csv?token=${NO_SUCH_TOKEN}", "NO_SUCH_TOKEN is not set"),
        ("https://me:s3cret@127.0.0.1/t.csv", "${NAME}"),
        ("ftp://127.0.0.1/t.csv", "https://"),
        ("s3://no-such-bucket/t.csv", "404"),
        ("s3://texts/no-such-key.csv", "404"),
        ("s3://texts", "s3://bucket/key"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(
    s3: str, refused: Run, url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_bucket(s3, monkeypatch)
    assert words in refused(url=url)


@pytest.mark.parametrize(
    ("url", "query", "words"),
    [
        ("sqlite:///crm.db", "delete from tickets", "begins with 'delete'"),
        ("sqlite:///crm.db", "select 1; drop table tickets", "several statements"),
        ("sqlite:///crm.db", "with a as (select 1) delete from tickets", "readonly"),
        ("sqlite:///crm.db", "select text, label from tickets where 0", "gives no row"),
        ("sqlite:///crm.db", "select text, text, label from tickets", "2 columns of the name"),
        ("sqlite:///crm.db", "select text from tickets", "has no column 'label'"),
        ("sqlite:///crm.db", "select text, raw as label from tickets", "not UTF-8"),
        ("sqlite:///crm.db", "select text, cast(raw as text) as label from tickets", "UTF-8"),
        ("sqlite:///crm.db", "select * from orders", "no such table"),
        ("sqlite:///crm.db", "select text label from", "incomplete input"),
        ("sqlite:///crm.db", " ", "an empty query"),
        ("sqlite:///no.db", "select 1", "unable to open database file"),
        ("sqlite:///params.yaml", "select * from tickets", "not a database"),
        ("postgresql://me:${SHOP_TOKEN}@127.0.0.1:9/crm", "select 1", "refused"),
        ("postgresql://me:${NO_SUCH}@127.0.0.1:9/crm", "select 1", "NO_SUCH is not set"),
        ("postgresql://me:s3cret@127.0.0.1:9/crm", "select 1", "${NAME}"),
        ("${SHOP_TOKEN}", "select 1", "no address of a database"),
        ("oracle://me:${SHOP_TOKEN}@127.0.0.1/crm", "select 1", "no driver"),
    ],
)
def test_a_database_or_query_of_no_use_is_told(
    tmp_path: Path, refused: Run, url: str, query: str, words: str
) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as database:
        database.execute("create table tickets (text, label, raw)")
        database.execute("insert into tickets values ('Fine.', 'positive', x'ff')")
    database.close()
    before = (tmp_path / "crm.db").read_bytes()
    assert words in refused(url=url, query=query)
    assert (tmp_path / "crm.db").read_bytes() == before
    assert not (tmp_path / "no.db").exists()
