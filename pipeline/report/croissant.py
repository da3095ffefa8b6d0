"""The description of the labelled rows in Croissant 1.1, the JSON-LD by which tools find and load data sets.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html, with personal data as its extension RAI 1.0 has
them. Equal data give equal text: it holds no date. `url`, `creator` and `datePublished`, which Croissant asks for
as well, are for those who publish the data to add.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from pipeline.core.artifacts.data_reports import DataReport, SourceRecord
from pipeline.core.artifacts.table_columns import SOURCE_ID

Json = dict[str, Any]
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
RECORDS = "records.parquet"
"""The table that is described; it lies beside the description."""
FIELDS = {
    "id": "The row's id: 16 hex digits, unique.",
    "source": "Name of the source.",
    SOURCE_ID: "The row's id in its source; null where the source has none.",
    "text": "The text, or the first of a pair.",
    "second": "The second text of a pair; null for single texts.",
    "label": "The label; several are joined by `|`.",
    "cluster": "The near-duplicate cluster: rows of one cluster belong into one split.",
}
"""Column of the table → its meaning; `source_id` is there where a source has ids of its own."""
_PARQUET = "application/x-parquet"
_FORMATS = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".json": "application/json",
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".parquet": _PARQUET,
    ".gz": "application/gzip",
    ".zst": "application/zstd",
}
_OTHER_FORMAT = "application/octet-stream"
_IDENTIFIER = re.compile(r"(?!LicenseRef-)[A-Za-z0-9.-]+")

# The context that the specification recommends in its appendix 1, and the terms that mlcroissant expects as well.
_OWN_TERMS = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty"),
    *("excludes", "extract", "field", "fileObject", "fileProperty", "fileSet"),
    *("format", "includes", "isArray", "isLiveDataset", "jsonPath", "key"),
    *("md5", "parentField", "path", "readLines", "recordSet", "references"),
    *("regex", "repeated", "replace", "samplingRate", "sdVersion", "separator"),
    *("source", "subField", "transform", "unArchive", "value"),
)
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _OWN_TERMS},
}


def croissant(
    product: str,
    sources: Sequence[SourceRecord],
    report: DataReport,
    *,
    sha256: str,
    size: int,
    source_ids: bool = False,
) -> Json:
    """The description as JSON.

    Args:
        product: name of the product, which the data set gets.
        sha256: SHA-256 of records.parquet.
        size: size of records.parquet in bytes.
        source_ids: whether it has the sources' own ids.
    """
    stated = dict.fromkeys(licence for source in sources for licence in _stated(source))
    licences = [found for licence in stated if (found := _licence(licence))]
    files = [_source(source, number) for number, source in enumerate(sources, start=1)]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": [*CONFORMS_TO],
        "name": product,
        "description": _description(product, report),
        **({"license": licences} if licences else {}),
        "distribution": [_records_file(sha256, size), *files],
        "recordSet": [_record_set(report, source_ids)],
        "rai:personalSensitiveInformation": _personal_data(report),
    }


def _description(product: str, report: DataReport) -> str:
    """Rows and labels in words."""
    checks = report.labelled
    text = (
        f"Labelled texts for {product}: {checks.rows_out:,} of {checks.rows_in:,} rows passed the checks of"
        " Modelyard's stage validate."
    )
    if numbers := report.numbers:
        [name] = report.labels
        return f"{text} The label is the number {name}, from {numbers.least:,.6g} to {numbers.most:,.6g}."
    labels = ", ".join(f"{name} ({rows:,})" for name, rows in report.labels.items())
    return f"{text} Labels and their rows: {labels}."


def _stated(source: SourceRecord) -> Iterable[str]:
    """Licences of a source's rows; where they say none, that of the source."""
    return [source.licence] if source.rights is None else source.rights.licences


def _licence(stated: str) -> str | Json | None:
    """The page of an SPDX licence, or a work named by an expression of several; None where it is neither."""
    try:
        licence = str(canonicalize_license_expression(stated))
    except InvalidLicenseExpression:
        return None
    if _IDENTIFIER.fullmatch(licence):
        return f"https://spdx.org/licenses/{licence}"
    return {"@type": "sc:CreativeWork", "name": licence}


def _records_file(sha256: str, size: int) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "The labelled rows that passed the checks, cleaned, from the sources below.",
        "contentUrl": RECORDS,
        "contentSize": f"{size} B",
        "encodingFormat": _PARQUET,
        "sha256": sha256,
    }


def _source(source: SourceRecord, number: int) -> Json:
    """The file of a source as collect read it; its id is a number, for names may be no part of a URL."""
    path, url = _place(source)
    file = PurePosixPath(path)
    used = f", used because: {source.waiver}" if source.waiver else ""
    parts = "; of a folder, sha256 is over its files" if file.suffix.lower() == ".parquet" else ""
    licence = _licence(source.licence)
    return {
        "@type": "cr:FileObject",
        "@id": f"source-{number}",
        "name": file.name,
        "description": f"Source {source.name}: {source.rows:,} rows were read{parts}. Licence: {source.licence}{used}",
        "contentUrl": url,
        "contentSize": f"{source.bytes} B",
        "encodingFormat": _FORMATS.get(file.suffix.lower(), _OTHER_FORMAT),
        "sha256": source.sha256,
        **({"license": licence} if licence else {}),
    }


def _place(source: SourceRecord) -> tuple[str, str]:
    """The path of a source in its package, in the project or at its address, and its URL.

    That is a package URL (ECMA-427), the address that it was fetched from, or relative to
    artifacts/validate/, where the description lies. Rows of a database have the database's address.
    """
    if source.kind == "url":
        return urlsplit(source.origin).path or source.origin, source.origin
    if source.kind == "sql":
        return "rows.parquet", source.origin.partition(": ")[0]
    if source.kind != "package":
        return source.origin, f"../../{quote(source.origin)}"
    package, _, path = source.origin.partition(": ")
    name, _, version = package.partition(" ")
    return path, f"pkg:pypi/{quote(name)}@{quote(version)}#{quote(path)}"


def _record_set(report: DataReport, source_ids: bool) -> Json:
    names = [name for name in FIELDS if source_ids or name != SOURCE_ID]
    return {
        "@type": "cr:RecordSet",
        "@id": "records",
        "name": "records",
        "description": "One record for each labelled row.",
        "key": {"@id": "records/id"},
        "field": [_field(name, is_number=report.numbers is not None) for name in names],
    }


def _field(name: str, *, is_number: bool) -> Json:
    """One column; a label is text also in the table of a product whose answer is a number."""
    label = ["sc:Float" if is_number else "sc:Text", "cr:Label"]
    return {
        "@type": "cr:Field",
        "@id": f"records/{name}",
        "name": name,
        "description": FIELDS[name],
        "dataType": label if name == "label" else "sc:Text",
        "source": {"fileObject": {"@id": RECORDS}, "extract": {"column": name}},
    }


def _personal_data(report: DataReport) -> list[str]:
    """Sentences on the personal data in the labelled rows."""
    done = " and was replaced by its kind" if report.limits.personal_data == "redact" else ""
    counts = report.personal_data.labelled
    found = [f"{kind} was seen in {rows:,} rows{done}." for kind, rows in counts.items() if rows]
    looked_for = f"Patterns looked for {', '.join(counts)} in the texts; names of persons were not looked for."
    return [*found, looked_for]
