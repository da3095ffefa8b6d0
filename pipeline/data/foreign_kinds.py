"""Refuses a data file that is of quite another kind than its ending says, and says what to do with it."""

import re
import zipfile
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.data.encodings import marked
from pipeline.data.packed import packing_of, unpacked
from pipeline.data.wide_encodings import wide_encoding

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods")
"""Endings of workbooks."""
_DOCUMENTS = (".doc", ".docx", ".ppt", ".pptx", ".odt", ".odp", ".hwp", ".hwpx", ".epub", ".pages")
_PARTS_OF_DOCUMENTS = ("word/", "ppt/", "Contents/section", "META-INF/container.xml")
SAVE_AS = 'in Excel, File > Save As > "CSV UTF-8 (Comma delimited)", and use that file'
"""What to do with a workbook."""
_AS_PARQUET = "read it with the program that wrote it, and write it as Parquet or JSON lines"
_UNPACK = "unpack it, and use the file of rows that is in it"
_PACK_AGAIN = "unpack it, or pack it with gzip or zstd"
_OF_STATISTICS = (
    "read it in the program that wrote it, or with pandas, and write it as CSV in UTF-8"
)
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
    b"\x04\x22\x4d\x18": ("packed with LZ4", _PACK_AGAIN),
    b"\x1f\x9d": ("packed with compress", _PACK_AGAIN),
    b"\xff\x06\x00\x00sNaPpY": ("packed with Snappy", _PACK_AGAIN),
    b"\x5d\x00\x00": ("packed with LZMA", _PACK_AGAIN),
    b"\x1f\x8b": ("packed twice", "unpack it once"),
    b"\x28\xb5\x2f\xfd": ("packed twice", "unpack it once"),
    b"PK\x05\x06": ("an empty ZIP archive", "name the file of the texts"),
    b"$FL2": ("an SPSS file", _OF_STATISTICS),
    b"<stata_dta>": ("a Stata file", _OF_STATISTICS),
    b"MATLAB 5.0": ("a MATLAB file", _OF_STATISTICS),
    b"RDX": ("an R data file", "in R: write.csv(rows, 'rows.csv', row.names=FALSE)"),
    b"X\n\0\0": ("an R data file", "in R: write.csv(rows, 'rows.csv', row.names=FALSE)"),
    b"RIFF": ("a sound, film or picture", "name the file of the texts"),
    b"ID3": ("a sound", "name the file of the texts"),
    b"OggS": ("a sound", "name the file of the texts"),
    b"fLaC": ("a sound", "name the file of the texts"),
    b"\x7fELF": ("a program", "name the file of the texts"),
    b"MZ\x90": ("a program", "name the file of the texts"),
    b"-----BEGIN PGP": ("encrypted with PGP", "decrypt it first"),
    b"PARE": ("an encrypted Parquet file", "write it again without encryption"),
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
_CONTROLS = {*range(1, 9), *range(14, 27), 28, 29, 30, 127} - {1}
"""Bytes of ASCII that no text has; 1 and 31 may stand between columns, 27 begins a colour."""
_MOST_CONTROLS_IN = 20
"""A control character in so many bytes is one too many."""
_OF_BYTES = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
_ENDINGS_OF_BYTES = (".parquet", ".arrow", ".feather")
"""How files that are read as bytes begin and end: each reader has its own words for what is wrong in them."""
_TAR = slice(257, 262), b"ustar"
_POINTER = re.compile(rb"outs:\s*\n- md5: [0-9a-f]{3,}")
_TAG = re.compile(r"\s*<([A-Za-z][\w:.-]*)(?:\s[^<>]*)?>")
_STARTS_OF_XML = (
    "XML",
    "write its rows as CSV or JSON lines; if it is an error page, download again",
)
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
    r"(?:--[^\n]*\n|/\*.*?\*/;?|\s)*(?:insert (?:into )?\S+\s*(?:\(|values)|create table\s[^\n(]+\("
    r"|create database\s\S+|drop table\s[^\n;]+;|pragma \w+\s*=|begin transaction;|use \[\w+\]\s*\n"
    r"|use `\w+`;|set [\w@. ]+(?:=|\bto\b)[^\n;]*;\s*\n|copy \S+ \([^\n]*\) from stdin;)": (
        "SQL",
        "export the table as CSV rather than as statements",
    ),
    r"\s*(?:<\?xml\b|<!--|<!doctype\b|<(?:html|head|body|table|div)\b[^<>]*>\s*<)": (
        "XML or a web page",
        "write its rows as CSV or JSON lines; if it is an error page, download again",
    ),
    r"(?:#[^\n]*\n)*(?:---[ \t]*\n)?- \w+:[ \t][^\n]*\n(?: +\w+:[^\n]*\n)+- ": (
        "YAML",
        "write its rows as JSON lines: yq -o=json -I=0 '.[]' FILE > rows.jsonl",
    ),
    r"(?:#[^\n]*\n)*\[\[\w+\]\][ \t]*\n\w+ = ": ("TOML", "write its rows as JSON lines"),
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
    if found is None and start[8:12] == b"DUCK":
        found = ("a DuckDB database", "duckdb FILE \"COPY (SELECT …) TO 'rows.parquet'\"")
    if found is None and start[4:8] == b"ftyp":
        found = ("a film", "name the file of the texts")
    of_bytes = start.startswith(_OF_BYTES) or path.suffix.lower() in _ENDINGS_OF_BYTES
    if found is None and not of_bytes and _is_no_text(start):
        found = ("no text, by its control characters", _AS_PARQUET)
    if found is None and _POINTER.match(start):
        found = ("a pointer of DVC, not the file itself", "run `dvc pull` where it comes from")
    if found is not None:
        raise _refusal(path, *found)


def _is_no_text(start: bytes) -> bool:
    """Whether many bytes are such as no text has; zero bytes may be those of UTF-16 or UTF-32."""
    odd = sum(byte in _CONTROLS for byte in start)
    zeros = start.count(0)
    wide = zeros and (marked(start) or wide_encoding(start))
    return not wide and (odd + zeros) * _MOST_CONTROLS_IN > len(start)


def _begins(start: bytes, magic: bytes) -> bool:
    """Whether a file begins so; letters alone, as ORC, may also begin a text, which has no bytes below 9."""
    return start.startswith(magic) and (not magic.isalnum() or min(start) < _LEAST_OF_TEXT)


def refuse_other_text(path: Path, text: str) -> None:
    """Raises DataError where the text of a file is fastText, CoNLL, brat, ARFF or SQL.

    Args:
        text: the beginning of the file.
    """
    for start, (what, next_step) in _STARTS.items():
        if re.match(start, text, re.IGNORECASE | re.DOTALL):
            raise _refusal(path, what, next_step)
    if _is_one_element(text):
        raise _refusal(path, *_STARTS_OF_XML)
    lines = [line.strip() for line in text[:100_000].splitlines() if line.strip()][:_MOST_LINES]
    tagged = [line for line in lines if _TAGGED.fullmatch(line)]
    spans = any(not line.endswith("O") for line in tagged)
    if spans and len(lines) > 1 and len(tagged) >= _LEAST_TAGGED * len(lines):
        raise _refusal(
            path,
            "one word a line with a tag (CoNLL), which labels parts of a text",
            "write a CSV with a text, and a label of the whole text, in each row",
        )


def _is_one_element(text: str) -> bool:
    """Whether a text is an XML element without a declaration: its first tag is closed at the end, or later."""
    first = _TAG.match(text)
    if first is None:
        return False
    end = f"</{first[1]}>"
    return text.count(end) == 1 and text.rstrip().endswith(end)


def _archive(path: Path) -> DataError:
    """The error for a ZIP file or an old Office file: most are workbooks."""
    names: list[str] = []
    if packing_of(path) is None and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    if any(name.startswith(_PARTS_OF_DOCUMENTS) for name in names) or _is_document(path):
        return _refusal(path, "a document, not a table", "save it as plain text in UTF-8")
    is_office = any(name.startswith(("xl/", "[Content_Types]", "content.xml")) for name in names)
    if not names or is_office or path.suffix.lower() in WORKBOOKS:
        return _refusal(path, "an Excel workbook, or another archive", SAVE_AS)
    files = f"{len(names):,} file{'s' * (len(names) != 1)}"
    return _refusal(path, f"a ZIP archive of {files}", _UNPACK)


def _is_document(path: Path) -> bool:
    return path.suffix.lower() in _DOCUMENTS


def _refusal(path: Path, what: str, next_step: str) -> DataError:
    return DataError(
        f"{path.name} is {what}",
        expected="a CSV, TSV, JSON, Parquet or text file of rows, or one of them packed with gzip or zstd",
        next_step=next_step.replace("FILE", path.name),
    )
