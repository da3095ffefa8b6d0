"""Tells of votes on labels where people agree, who agrees with whom, and how reliable each person is."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass

from pipeline.core.artifacts.data_reports import (
    AgreementFindings,
    AnnotatorReport,
    Coefficient,
    Coefficients,
    ConfusionReport,
    PairReport,
    UncertainRow,
)
from pipeline.metrics.annotator_reliability import Annotator, annotators
from pipeline.metrics.chance_agreement import Measures, chance_agreement
from pipeline.metrics.intervals import Interval
from pipeline.metrics.merged_votes import MergedRow, explained, merged_rows
from pipeline.metrics.pairs_of_people import PairOfPeople, confusions, pairs_of_people
from pipeline.metrics.vote_table import VoteTable
from pipeline.problem.problem import Problem

MOST_SHOWN, MOST_PAIRS = 20, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDetails:
    """Findings from votes on labels; all is empty where votes are numbers.

    Attributes:
        findings: as agreement.json has them.
        merged: the likeliest label of each row by the model of Dawid & Skene.
        table: the votes; None where they are numbers, or there are none.
    """

    findings: AgreementFindings
    merged: Sequence[MergedRow]
    table: VoteTable | None

    def deciding(self) -> dict[str, dict[str, str]]:
        """Returns row → votes of which the majority is the likeliest label: one, or two that tie."""
        return {
            row.row: {str(place): label for place, label in enumerate(row.labels)}
            for row in self.merged
        }


def agreement_details(
    votes: Mapping[str, Mapping[str, str]],
    *,
    problem: Problem,
    labels: Sequence[str],
    seed: int,
    decided: Container[str] = (),
) -> AgreementDetails:
    """Returns what the votes tell.

    Args:
        votes: row → person → stored label.
        decided: ids of the rows whose label is certain whatever the votes are.
    """
    if not votes or not problem.has_probabilities:
        nothing = AgreementFindings(
            coefficients=None, by_label={}, people=[], pairs=[], confusions=[], uncertain_rows=[]
        )
        return AgreementDetails(findings=nothing, merged=(), table=None)
    table = VoteTable.of(votes, problem=problem, labels=labels)
    found = explained(table)
    agreed = chance_agreement(table, labels, seed=seed)
    merged = merged_rows(table, found, problem=problem, labels=labels)
    findings = AgreementFindings(
        coefficients=_coefficients(agreed.overall),
        by_label={label: _coefficients(measured) for label, measured in agreed.by_label.items()},
        people=[_annotator(each) for each in annotators(table, found)],
        pairs=[_pair(each) for each in pairs_of_people(table, most=MOST_PAIRS, seed=seed)],
        confusions=[
            ConfusionReport(**asdict(each)) for each in confusions(table, labels, most=MOST_SHOWN)
        ],
        uncertain_rows=_uncertain([row for row in merged if row.row not in decided]),
    )
    return AgreementDetails(findings=findings, merged=merged, table=table)


def _uncertain(merged: Sequence[MergedRow]) -> list[UncertainRow]:
    """Returns the rows with several votes whose likeliest labels are least probable."""
    shared = sorted(
        (row for row in merged if row.votes > 1), key=lambda row: (row.confidence, row.row)
    )
    return [
        UncertainRow(id=row.row, label=row.labels[0], confidence=row.confidence, votes=row.votes)
        for row in shared[:MOST_SHOWN]
        if row.confidence < 1
    ]


def _coefficient(found: Interval | None) -> Coefficient | None:
    return None if found is None else Coefficient(value=found.value, interval=found.as_list())


def _coefficients(found: Measures) -> Coefficients:
    return Coefficients(**{name: _coefficient(each) for name, each in found.items()})


def _annotator(found: Annotator) -> AnnotatorReport:
    return AnnotatorReport(
        name=found.name,
        votes=found.votes,
        shared=found.shared,
        reliability=_coefficient(found.reliability),
        is_spammer=found.is_spammer,
    )


def _pair(found: PairOfPeople) -> PairReport:
    return PairReport(
        first=found.first,
        second=found.second,
        rows=found.rows,
        same=found.same,
        kappa=_coefficient(found.kappa),
    )
