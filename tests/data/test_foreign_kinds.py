"""A file of another kind than its ending says is told what it is; a text that only begins like one is read."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.file_look import look_at

TABLE = b"text,label\nOne two,good\n"


def put(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, TABLE)
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(TABLE)
        archive.addfile(member, io.BytesIO(TABLE))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"SQLite format 3\0" + bytes(90), "sqlite3 -csv -header a.csv"),
        (pickle.dumps([1, 2]), "is a pickle"),
        (bz2.compress(TABLE * 9), "bunzip2"),
        (lzma.compress(TABLE), "unxz"),
        (zipped("a.csv", "b.csv"), "a ZIP archive of 2 files"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel workbook"),
        (tarred(), "is a tar archive"),
        (b'<?xml version="1.0"?><Error>', "is XML"),
        (b"{\\rtf1 Hello}", "RTF"),
        (b"outs:\n- md5: 12ab\n", "dvc pull"),
        (b"__label__good One two\n", "fastText"),
        (b"T1\tORG 0 5\tOrder\n", "brat"),
        (b"FEA1" + b"\0" * 40 + b"FEA1", "an old Feather file"),
        (b"@relation x\n@data\n", "ARFF"),
        (b"INSERT INTO rows (text) VALUES ('a');", "is SQL"),
        (b"EU B-ORG\nrejects O\n\nGerman B-MISC\n", "CoNLL"),
        (b"\x04\x22\x4d\x18" + bytes(90), "packed with LZ4"),
        (b"\x1f\x9d\x90" + bytes(90), "packed with compress"),
        (gzip.compress(gzip.compress(TABLE, mtime=0), mtime=0), "packed twice"),
        (b"PK\x05\x06" + bytes(18), "an empty ZIP archive"),
        (zipped("[Content_Types].xml", "word/document.xml"), "a document, not a table"),
        (b"$FL2@(#) SPSS DATA FILE" + bytes(90), "an SPSS file"),
        (b"<stata_dta><header>", "a Stata file"),
        (bytes(8) + b"DUCK" + bytes(90), "a DuckDB database"),
        (bytes(4) + b"ftypisom" + bytes(90), "a film"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(90), "a sound, film or picture"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted with PGP"),
        (b"\x92\x01\x02\x03\x04text\x05\x06" * 9, "no text, by its control characters"),
        (b"<root><row text='Good'/></root>", "is XML"),
        ('<?xml version="1.0"?><a/>'.encode("utf-16"), "is XML"),
        (b"<!-- saved page --><html></html>", "XML or a web page"),
        (b"<table><tr><td>text</td></tr></table>", "XML or a web page"),
        (b"- text: One two\n  label: good\n- text: Three\n  label: bad\n", "is YAML"),
        (b'[[rows]]\ntext = "One two"\n', "is TOML"),
        (b"-- dump\n/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `r`;\n", "is SQL"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "is SQL"),
        (b"--\n-- dump\n--\n\nSET statement_timeout = 0;\n", "is SQL"),
        (b"USE [db]\nGO\nINSERT [dbo].[r] VALUES ('a')\n", "is SQL"),
    ],
)
def test_another_kind_is_told(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        look_at(put(tmp_path, data))


@pytest.mark.parametrize(
    "data",
    [
        b"ORCID,text\n1,One two\n",
        b"Insert into the slot,good\n",
        b"GIF89 was a format\n",
        b"Vitamin B-12\nAnd more of it\nThat is all\n",
        b"<b>text</b>,label\n<b>One</b>,good\n",
        b"Set the table,label\nOne,good\n",
        b"- text,label\nOne,good\n",
        b"\x1b[31mtext\x1b[0m,label\nOne two three,good\n",
        b"text\x01label\nOne two\x01good\n",
    ],
)
def test_a_text_that_begins_alike_is_read(tmp_path: Path, data: bytes) -> None:
    assert look_at(put(tmp_path, data)).format == "CSV"


def test_text_that_is_called_a_workbook_is_read_as_what_it_is(tmp_path: Path) -> None:
    assert look_at(put(tmp_path, TABLE, "a.xlsx")).format == "CSV"
