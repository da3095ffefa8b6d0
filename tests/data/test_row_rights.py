"""Rows without a licence or a consent that allows their use are left out, and all are counted."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.product import Requirements
from pipeline.core.rights_section import RightsColumns
from pipeline.data.row_rights import RowRights

WHERE = "source mine, a.csv, line 2"
COLUMNS = RightsColumns(licence="terms", consent="agreed", origin="url", collected="day")
REQUIREMENTS = Requirements(
    quality_metric="accuracy",
    allowed_licences=["MIT", "CC-BY-4.0"],
    licence_waivers={"mine": "for a test"},
)


def rights(columns: RightsColumns = COLUMNS, licence: str = "own") -> RowRights:
    return RowRights(columns, licence=licence, requirements=REQUIREMENTS)


def row(**cells: str) -> dict[str, str]:
    return {"terms": "MIT", "agreed": "yes", "url": "", "day": "", "text": "a text"} | cells


@pytest.mark.parametrize(
    "terms", ["MIT", "mit", "MIT AND CC-BY-4.0", "MIT OR GPL-3.0-only", "own", "", " "]
)
def test_a_row_whose_licence_is_allowed_stays_and_an_empty_one_has_that_of_its_source(
    terms: str,
) -> None:
    assert rights().reason(row(terms=terms), where=WHERE) is None


@pytest.mark.parametrize(
    "terms", ["GPL-3.0-only", "MIT AND GPL-3.0-only", "unknown", "all rights reserved"]
)
def test_a_row_whose_licence_is_not_allowed_is_left_out(terms: str) -> None:
    assert rights().reason(row(terms=terms), where=WHERE) == f"licence {terms} is not allowed"


def test_a_waiver_of_the_source_holds_for_rows_that_say_nothing_alone() -> None:
    waived = rights(licence="unknown")
    assert waived.reason(row(terms=""), where=WHERE) is None
    assert waived.reason(row(terms="unknown"), where=WHERE) == "licence unknown is not allowed"


@pytest.mark.parametrize("said", ["yes", "TRUE", "1", "given", "동의", "예"])
def test_a_row_with_consent_stays(said: str) -> None:
    assert rights().reason(row(agreed=said), where=WHERE) is None


@pytest.mark.parametrize("said", ["no", "False", "0", "withdrawn", "철회", "거부"])
def test_a_row_whose_consent_was_refused_or_withdrawn_is_left_out(said: str) -> None:
    assert rights().reason(row(agreed=said), where=WHERE) == "consent refused or withdrawn"


def test_a_row_without_a_word_on_consent_is_left_out_and_another_word_is_refused() -> None:
    assert rights().reason(row(agreed=" "), where=WHERE) == "no consent recorded"
    with pytest.raises(DataError, match=r"line 2(?s:.*)'maybe'(?s:.*)withdrawn"):
        rights().reason(row(agreed="maybe"), where=WHERE)


def test_columns_that_are_not_named_are_not_judged() -> None:
    assert rights(RightsColumns(origin="url")).reason({"url": "a"}, where=WHERE) is None


def test_rows_are_counted_by_licence_by_reason_and_by_host() -> None:
    found = rights()
    for cells in (
        {"url": "https://a.example.org/1", "day": "2026-03-02"},
        {"url": "https://a.example.org/2", "day": "2025-12-31T10:00:00+09:00", "terms": "mit"},
        {"url": "a shelf", "terms": ""},
        {"url": "https://b.example.org", "day": "2020-01-01", "agreed": "no"},
        {"terms": "GPL-3.0-only"},
    ):
        found.reason(row(**cells), where=WHERE)
    report = found.report()
    assert report.licences == {"MIT": 1, "mit": 1, "own": 1}
    assert report.left_out == {
        "consent refused or withdrawn": 1,
        "licence GPL-3.0-only is not allowed": 1,
    }
    assert report.origins == {"a.example.org": 2, "a shelf": 1}
    assert report.collected == ["2025-12-31", "2026-03-02"]


def test_a_day_that_is_none_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match=r"line 2(?s:.*)'1/10/2026'"):
        rights().reason(row(day="1/10/2026"), where=WHERE)


def test_many_origins_and_licences_take_a_bounded_place() -> None:
    found = rights()
    for number in range(3000):
        found.reason(row(url=f"https://host{number}.example.org"), where=WHERE)
        found.reason(row(terms=f"LicenseRef-{number}"), where=WHERE)
    report = found.report()
    assert len(report.origins) <= 21
    assert len(report.left_out) <= 21
    assert sum(report.origins.values()) == sum(report.left_out.values()) == 3000
