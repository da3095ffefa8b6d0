"""The data card: what the data are, where they come from and what is wrong with them."""

from collections.abc import Mapping, Sequence

from pipeline.core.artifacts.data_reports import DataReport, SourceRecord
from pipeline.report.templates import render


def data_card(sources: Sequence[SourceRecord], report: DataReport) -> str:
    """Markdown from the sources that collect read and from validate's report."""
    personal, corpus = report.personal_data, report.corpus.rows_in > 0
    leaks = [n for reason, n in report.corpus.rejects.items() if "labelled" in reason]
    return render(
        "data_card.md.j2",
        sources=sources,
        report=report,
        corpus=corpus,
        tables={"labelled": report.labelled} | ({"corpus": report.corpus} if corpus else {}),
        personal_data={"labelled": _kinds(personal.labelled), "corpus": _kinds(personal.corpus)},
        leaks=sum(leaks),
    )


def _kinds(counts: Mapping[str, int]) -> str:
    """The kinds that were seen: `phone in 1, url in 8`."""
    return ", ".join(f"{kind} in {count:,}" for kind, count in counts.items() if count)
