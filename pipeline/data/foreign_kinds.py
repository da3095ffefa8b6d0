"""Refuses a data file that is of quite another kind than its ending says, and says what to do with it."""

import re
import zipfile
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.packed import packing_of, unpacked

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
"""Endings of workbooks."""
SAVE_AS = 'in Excel, File > Save As > "CSV UTF-8 (Comma delimited)", and use that file'
"""What to do with a workbook."""
_AS_PARQUET = "read it with the program that wrote it, and write it as Parquet or JSON lines"
_UNPACK = "unpack it, and use the file of rows that is in it"
_KINDS = {
    b"%PDF": ("a PDF", "copy its text into a CSV"),
    b"\x89PNG": ("a picture", "name the file of the texts"),
    b"\xff\xd8\xff": ("a picture", "name the file of the texts"),
    b"GIF8": ("a picture", "name the file of the texts"),
    b"SQLite format 3\0": ("an SQLite database", "sqlite3 -csv -header FILE 'SELECT …' > rows.csv"),
    b"\x93NUMPY": ("an array of NumPy", _AS_PARQUET),
    b"\x89HDF": ("an HDF5 file", _AS_PARQUET),
    b"FEA1": ("an old Feather file", "pyarrow.feather.read_table, then parquet.write_table"),
    b"Obj\x01": ("an Avro file", _AS_PARQUET),
    b"ORC": ("an ORC file", _AS_PARQUET),
    b"BZh": ("packed with bzip2", "unpack it with bunzip2, or pack it with gzip or zstd"),
    b"\xfd7zXZ\0": ("packed with xz", "unpack it with unxz, or pack it with gzip or zstd"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"{\\rtf": ("a document (RTF)", "save it as plain text in UTF-8"),
    b"<?xml": (
        "XML",
        "write its rows as CSV or JSON lines; if it is an error page, download again",
    ),
    **{
        bytes([0x80, protocol]): ("a pickle of Python", "load it, and write its rows as JSON lines")
        for protocol in (2, 3, 4, 5)
    },
}
_TAR = slice(257, 262), b"ustar"
_POINTER = re.compile(rb"outs:\s*\n- md5: [0-9a-f]{3,}")
_TAGGED = re.compile(r"\S+(?:[ \t]+\S+)*[ \t](?:O|[BIESLU]-\S+)")
_LEAST_OF_TEXT = 9
_MOST_LINES, _LEAST_TAGGED = 300, 0.8
_STARTS = {
    r"__label__\S": (
        "in fastText's form, each label in front of its text",
        "write a CSV of two columns, text and label: the label is what follows __label__",
    ),
    r"T\d+\t\S+ \d+ \d+(?:;\d+ \d+)*\t": (
        "annotations of brat, which label parts of a text",
        "write a CSV with a text, and a label of the whole text, in each row",
    ),
    r"(?:%[^\n]*\n)*@relation\b": (
        "an ARFF file of Weka",
        "save it as CSV in Weka, or with scipy.io.arff",
    ),
    r"(?:--[^\n]*\n)*\s*(?:insert into\s+\S+\s*(?:\(|values)|create table\s+\S+\s*\()": (
        "SQL",
        "export the table as CSV rather than as statements",
    ),
}


def refuse_other_kind(path: Path) -> None:
    """Raises DataError for a workbook, an archive, a picture, a database and the like, by the first bytes."""
    with unpacked(path) as stream:
        start = stream.read(512)
    if start.startswith((_ZIP, _OLE)):
        raise _archive(path)
    found = next((kind for magic, kind in _KINDS.items() if _begins(start, magic)), None)
    place, mark = _TAR
    if found is None and start[place] == mark:
        found = ("a tar archive", _UNPACK)
    if found is None and _POINTER.match(start):
        found = ("a pointer of DVC, not the file itself", "run `dvc pull` where it comes from")
    if found is not None:
        raise _refusal(path, *found)


def _begins(start: bytes, magic: bytes) -> bool:
    """Whether a file begins so; letters alone, as ORC, may also begin a text, which has no bytes below 9."""
    return start.startswith(magic) and (not magic.isalnum() or min(start) < _LEAST_OF_TEXT)


def refuse_other_text(path: Path, text: str) -> None:
    """Raises DataError where the text of a file is fastText, CoNLL, brat, ARFF or SQL.

    Args:
        text: the beginning of the file.
    """
    for start, (what, next_step) in _STARTS.items():
        if re.match(start, text, re.IGNORECASE):
            raise _refusal(path, what, next_step)
    lines = [line.strip() for line in text[:100_000].splitlines() if line.strip()][:_MOST_LINES]
    tagged = [line for line in lines if _TAGGED.fullmatch(line)]
    spans = any(not line.endswith("O") for line in tagged)
    if spans and len(lines) > 1 and len(tagged) >= _LEAST_TAGGED * len(lines):
        raise _refusal(
            path,
            "one word a line with a tag (CoNLL), which labels parts of a text",
            "write a CSV with a text, and a label of the whole text, in each row",
        )


def _archive(path: Path) -> DataError:
    """The error for a ZIP file or an old Office file: most are workbooks."""
    names: list[str] = []
    if packing_of(path) is None and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    is_office = any(name.startswith(("xl/", "[Content_Types]", "content.xml")) for name in names)
    if not names or is_office or path.suffix.lower() in WORKBOOKS:
        return _refusal(path, "an Excel workbook, or another archive", SAVE_AS)
    files = f"{len(names):,} file{'s' * (len(names) != 1)}"
    return _refusal(path, f"a ZIP archive of {files}", _UNPACK)


def _refusal(path: Path, what: str, next_step: str) -> DataError:
    return DataError(
        f"{path.name} is {what}",
        expected="a CSV, TSV, JSON, Parquet or text file of rows, or one of them packed with gzip or zstd",
        next_step=next_step.replace("FILE", path.name),
    )
