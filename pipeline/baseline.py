"""baseline: fits simple models, to see whether a language model is worth its cost.

Reads   artifacts/prepare/records.parquet, annotations/
Writes  artifacts/baseline/{predictions.parquet, verdict.json, suspect_labels.csv, learning_curve.csv,
        metrics.json}
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields

from pipeline.acceptance.findings import Findings, ceiling_of, keyword_rule, labels_outlook
from pipeline.acceptance.predictions import Answers, write_answers
from pipeline.acceptance.suspect_labels import MOST_ROWS, find_suspects
from pipeline.acceptance.worth import in_short, judge_worth, refuse_what_cannot_be_told
from pipeline.core.artifacts.data_reports import BaselineQuality, BaselineVerdict
from pipeline.core.artifacts.table_columns import SOURCE_ID, BaselinePredictions
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.data.annotations import read_annotations
from pipeline.data.suspect_sheet import SuspectRow, write_suspects
from pipeline.data.tables import Columns, read_table
from pipeline.metrics.quality import quality_figure
from pipeline.models.baselines import (
    BaselineRows,
    Learner,
    LearningPoint,
    fit_baselines,
    learning_curve,
    split_rows,
    strongest,
)
from pipeline.models.linear import Baseline, LinearTask
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.models.word_vectors import WordVectors
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import problem_named

SCORED = ("validation", "test")


def run(params: Params, paths: Paths) -> Metrics:
    """Fits the baselines, chooses C on validation and says whether machine learning solves the problem.

    Raises:
        CannotBeToldError: nothing can be learned from these data; the build ends with that answer, and
            verdict.json holds it.
    """
    product, settings = params.product, params.baseline
    metric, problem = product.requirements.quality_metric, problem_named(product.problem)
    min_quality = product.requirements.min_quality
    task = LinearTask.of(product, settings)
    table = read_table(paths.read("prepare", "records.parquet"))
    rows = split_rows(table, pairs=task.pairs)

    def quality_of(targets: Targets, scores: Scores) -> float:
        return quality_figure(metric, problem=problem, targets=targets, scores=scores)

    fitted, chosen = fit_baselines(rows, settings, task=task, quality=quality_of)
    answers = [
        _answers(name, model, split=split, rows=rows[split])
        for name, model in fitted.items()
        for split in SCORED
    ]
    # No decision reads the figure of test.
    figures: dict[str, dict[str, float]] = {name: {} for name in fitted}
    for found in answers:
        figures[found.variant][found.split] = quality_of(found.targets, found.scores)
    best = strongest({name: by_split["validation"] for name, by_split in figures.items()})
    learner = Learner(best, task, regularisation=chosen[best], quality=quality_of)
    judged = judge_worth(
        Findings(
            quality={name: BaselineQuality(**by_split) for name, by_split in figures.items()},
            regularisation=chosen,
            rule=keyword_rule(rows, task, quality=quality_of, labels=product.labels),
            outlook=labels_outlook(learner, rows, wanted=min_quality, seed=params.compute.seed),
            ceiling=ceiling_of(_votes(table, params, paths), task, seed=params.compute.seed),
        ),
        min_quality=min_quality,
        min_gain=settings.min_gain,
        problem=problem,
        metric=metric,
    )
    judged.write(paths)
    say(f"baseline  Will machine learning solve it? {judged.verdict}. {judged.reason}")
    refuse_what_cannot_be_told(judged, min_gain=settings.min_gain)
    _save_curve(learning_curve(learner, rows, settings.learning_curve_shares), paths)
    write_answers(paths.out / "predictions.parquet", answers, BaselinePredictions.columns())
    suspects = suspect_rows(rows["train"], table, task, regularisation=chosen, params=params)
    write_suspects(paths.out / "suspect_labels.csv", suspects)
    if suspects:
        say(
            f"baseline  {len(suspects):,} labels are worth a second look, for models of other rows contradict them"
            " most: suspect_labels.csv lists them; saved in annotations/, what people fill in counts"
        )
    return {**_metrics(judged), "suspect_labels": len(suspects)}


def _votes(table: Columns, params: Params, paths: Paths) -> list[list[str]]:
    """The labels that people gave to each annotated row of the data."""
    known, product = set(table["id"]), params.product
    given = read_annotations(
        paths.annotations,
        problem=problem_named(product.problem),
        labels=product.labels,
        known=known,
    )
    return [[*votes.values()] for row, votes in given.items() if row in known]


def suspect_rows(
    train: BaselineRows,
    table: Columns,
    task: LinearTask,
    *,
    regularisation: Mapping[str, float],
    params: Params,
) -> list[SuspectRow]:
    """The train rows whose label is probably wrong, most suspicious first, with what they are called.

    Args:
        table: all rows, as prepare left them.
        regularisation: baseline → its C.
    """
    known = {row: number for number, row in enumerate(table["id"])}
    numbers = [known[row] for row in train.ids[:MOST_ROWS]]
    vectors = WordVectors.of(resolve_checkpoint(params.prepare.checkpoint))
    if vectors is None:
        say(
            "baseline  no word vectors can be read from the checkpoint: labels worth a second look are sought by"
            " two models, not by three"
        )
    found = find_suspects(
        train.inputs[:MOST_ROWS],
        train.targets[:MOST_ROWS],
        [table["cluster"][number] for number in numbers],
        task=task,
        regularisation=regularisation,
        seed=params.compute.seed,
        vectors=vectors,
    )
    return [
        SuspectRow(
            **{name: table[name][numbers[one.row]] for name in ("id", "text", "second", "label")},
            source_id=table[SOURCE_ID][numbers[one.row]] if SOURCE_ID in table else None,
            suggested=task.problem.label_of(one.suggested, params.product.labels),
            confidence=one.confidence,
        )
        for one in found
    ]


def _answers(name: str, model: Baseline, *, split: str, rows: BaselineRows) -> Answers:
    scores = model.scores(rows.inputs)
    return Answers(variant=name, split=split, ids=rows.ids, targets=rows.targets, scores=scores)


def _metrics(judged: BaselineVerdict) -> Metrics:
    best = judged.quality[judged.best]
    return {
        "verdict": judged.verdict,
        "worth_a_model": judged.worth_a_model,
        "quality_metric": judged.quality_metric,
        **{name: figures.as_json() for name, figures in judged.quality.items()},
        "headline": f"{judged.best} {best.validation:.3f} validation, {best.test:.3f} test; "
        f"{in_short(judged)}",
    }


def _save_curve(curve: Sequence[LearningPoint], paths: Paths) -> None:
    names = [field.name for field in fields(LearningPoint)]
    lines = [names, *([str(value) for value in astuple(point)] for point in curve)]
    write_text(paths.out / "learning_curve.csv", "\n".join(",".join(line) for line in lines) + "\n")


if __name__ == "__main__":
    run_stage("baseline", run)
