"""The data report as one page for a browser: what the data card says, with bars, and every figure of the report.

The page is whole in itself: no script, no font and no picture comes from elsewhere, and it holds no text of a row.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.artifacts.data_reports import (
    DataReport,
    LanguageReport,
    SourceRecord,
    TableReport,
    TermReport,
)
from pipeline.report.page_in_korean import GROUPS, KOREAN
from pipeline.report.templates import render

_PERSONAL_DATA = {
    "count": "Rows that hold it are kept.",
    "redact": "Its kind took its place in the tables of validate.",
    "refuse": "A row that holds it stops the build.",
}
"""`validate.personal_data` → what is done about the personal data that is found."""


_KOREAN_LANGUAGE = "Korean"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of several that are compared.

    Attributes:
        share: of all rows of the table.
        width: in percent of the longest bar.
    """

    name: str
    rows: int
    share: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """The languages of the rows of one source or label.

    Attributes:
        languages: language → share of the rows that were looked at.
        differs: whether the commonest is another one than that of most rows of all sources, or labels.
    """

    report: LanguageReport
    languages: Mapping[str, float]
    differs: bool


def data_page(product: str, sources: Sequence[SourceRecord], report: DataReport) -> str:
    """HTML from the sources that collect read and from validate's report; Korean where the texts are.

    Args:
        product: name of the product.
    """
    tables = _tables(report)
    labelled = report.labelled.rows_out
    is_korean = report.language == _KOREAN_LANGUAGE
    return render(
        "data_page.html.j2",
        translations=KOREAN if is_korean else {},
        language_code="ko" if is_korean else "en",
        product=product,
        sources=sources,
        groups=_groups(report.identity_terms),
        group_names=GROUPS if is_korean else {},
        report=report,
        tables=tables,
        spoken={kind: _spoken(report.languages, kind) for kind in ("source", "label")},
        labels=_bars(report.labels, total=labelled),
        rejects={name: _bars(table.rejects, total=table.rows_in) for name, table in tables.items()},
        limits=report.limits.model_dump(),
        personal_data=_PERSONAL_DATA[report.limits.personal_data],
    )


def _spoken(reports: Sequence[LanguageReport], kind: str) -> list[Spoken]:
    """The languages of each source, or of each label."""
    some = [report for report in reports if report.kind == kind]
    total = Counter[str]()
    for report in some:
        total.update(report.languages)
    return [
        Spoken(
            report=report,
            languages={name: rows / report.rows for name, rows in report.languages.items()},
            differs=next(iter(report.languages), "")
            != max(total, key=total.__getitem__, default=""),
        )
        for report in some
    ]


def _groups(terms: Sequence[TermReport]) -> list[tuple[TermReport, float]]:
    """Groups of people, and their rows in percent of the commonest group's."""
    longest = max((term.rows for term in terms), default=0) or 1
    return [(term, 100 * term.rows / longest) for term in terms]


def _tables(report: DataReport) -> dict[str, TableReport]:
    """The tables by name; without the corpus where there is none."""
    corpus = {"corpus": report.corpus} if report.corpus.rows_in else {}
    return {"labelled": report.labelled} | corpus


def _bars(counts: Mapping[str, int], *, total: int) -> list[Bar]:
    """A bar for each count, in their order."""
    longest = max(counts.values(), default=0) or 1
    return [
        Bar(name=name, rows=rows, share=rows / max(total, 1), width=100 * rows / longest)
        for name, rows in counts.items()
    ]
