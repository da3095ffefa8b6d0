"""Writes GLUE's figures and the submission from the answers of the trained models.

python -m pipeline.glue.task_report --data DIR --out FOLDER --seen MultiNLI,QQP CoLA=1=a.json
CoLA=2=b.json …

Writes `report.json` and `submission.zip` into FOLDER and prints the table. Where a task was trained
with several seeds, the model with the best development figure answers the test rows.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.progress import say
from pipeline.glue.official_files import read_labelled
from pipeline.glue.submission import TaskAnswers, answers_of, write_submission
from pipeline.glue.tasks import OFFICIAL_ROWS, PUBLISHED, SUBMISSIONS, TASKS, GlueTask, tasks_seen
from pipeline.metrics.glue_metrics import METRICS, mean_with_interval

_RESAMPLES = 1000
_SEED = 0
_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class MetricFigure:
    """A metric on a development set: of each seed, their mean, and its 95 % interval over the rows."""

    mean: float
    interval: tuple[float, float]
    seeds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class DevelopmentResult:
    """The figure of each metric on one development set; malformed rows were left out.

    Attributes:
        seen_by_checkpoint: whether the encoder was trained on data of this task; None where that is
            unknown.
    """

    figures: Mapping[str, MetricFigure]
    seen_by_checkpoint: bool | None
    malformed_training_rows: int
    malformed_development_rows: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of each development set, and what is missing for a complete submission.

    Attributes:
        missing_tasks: tasks that no model was trained on.
        short_submissions: file with another number of answers than the leaderboard asks for → its
            answers.
    """

    tasks: Mapping[str, DevelopmentResult]
    missing_tasks: Sequence[str]
    missing_submissions: Sequence[str]
    short_submissions: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The content of report.json, where each metric is a key beside the other facts."""
        values = asdict(self)
        tasks = {name: entry.pop("figures") | entry for name, entry in values["tasks"].items()}
        return values | {"tasks": tasks, "public": dict(PUBLISHED)}


def make_report(
    data: Path,
    answers: Mapping[str, Mapping[int, TaskAnswers]],
    out: Path,
    *,
    seen: Sequence[str] | None,
) -> Report:
    """Write report.json and submission.zip; returns the report.

    Args:
        answers: task → seed → answers.
        seen: data sets that the encoder was trained on; None where that is unknown.
    """
    results: dict[str, DevelopmentResult] = {}
    submitted: dict[str, list[str]] = {}
    for name, by_seed in answers.items():
        task = TASKS[name]
        flattered = None if seen is None else name in tasks_seen(seen)
        found = _results(task, data / name, by_seed, flattered=flattered)
        results |= found
        # The best seed by the first metric on the first development set answers.
        seeds = next(iter(found.values())).figures[task.metrics[0]].seeds
        chosen = by_seed[int(max(seeds, key=seeds.__getitem__))]
        submitted |= {file: answers_of(task, outputs) for file, outputs in chosen.test.items()}
    write_submission(out / "submission.zip", submitted)
    report = Report(
        tasks=results,
        missing_tasks=[name for name in TASKS if name not in answers],
        missing_submissions=sorted(set(SUBMISSIONS) - set(submitted)),
        short_submissions={
            file: len(rows) for file, rows in submitted.items() if len(rows) != OFFICIAL_ROWS[file]
        },
    )
    write_json(out / "report.json", report.as_json())
    return report


def _results(
    task: GlueTask, folder: Path, by_seed: Mapping[int, TaskAnswers], *, flattered: bool | None
) -> dict[str, DevelopmentResult]:
    """Development set → result, for one task, whose files are in `folder`."""
    results = {}
    for file, name in task.development.items():
        rows = read_labelled(task, folder / file)
        gold = np.array(rows.targets)
        given = {str(seed): np.array(of.development[name]) for seed, of in by_seed.items()}
        figures = {}
        for metric in task.metrics:
            mean, interval = mean_with_interval(
                metric, gold, list(given.values()), resamples=_RESAMPLES, seed=_SEED
            )
            seeds = {seed: METRICS[metric](gold, values) for seed, values in given.items()}
            figures[metric] = MetricFigure(mean=mean, interval=interval, seeds=seeds)
        results[name] = DevelopmentResult(
            figures=figures,
            seen_by_checkpoint=flattered,
            malformed_training_rows=next(iter(by_seed.values())).malformed,
            malformed_development_rows=rows.malformed,
        )
    return results


def table(report: Report) -> str:
    """One line a metric, in percent, beside published figures; notes below; 100 columns wide."""
    head = f"{'task':10}{'metric':10}{'mean':>7}  {'95 % interval':16}{'seeds':>5}"
    head += "".join(f"{name:>12}" for name in PUBLISHED)
    lines = [head, "─" * len(head)]
    for name, result in report.tasks.items():
        first = name + ("*" if result.seen_by_checkpoint else "")
        others = "".join(
            f"{row[name]:12.1f}" if name in row else " " * 12 for row in PUBLISHED.values()
        )
        for metric, figure in result.figures.items():
            low, high = (f"{100 * limit:.1f}" for limit in figure.interval)
            interval = f"[{low}, {high}]"
            shown = f"{100 * figure.mean:7.1f}  {interval:16}{len(figure.seeds):>5}"
            lines.append(f"{first:10}{metric:10}{shown}{others}".rstrip())
            first = others = ""  # a task is named on its first line only
    lines += _notes(report)
    return "\n".join(textwrap.fill(line, _WIDTH, subsequent_indent="  ") for line in lines)


def _notes(report: Report) -> Iterator[str]:
    """The sentences below the table: how to read it, and what is missing."""
    yield "Figures of others: Sanh et al. 2019, table 1; development sets, in percent."
    seen = [result.seen_by_checkpoint for result in report.tasks.values()]
    if any(seen):
        yield "* The checkpoint was trained on data of this task, so its figure is too good."
    if None in seen:
        yield (
            "It is unknown what this encoder was trained on, so no figure is marked: name the data"
            " sets with --seen."
        )
    for kind in ("training", "development"):
        lost = {name: getattr(of, f"malformed_{kind}_rows") for name, of in report.tasks.items()}
        if counts := ", ".join(f"{name} {count}" for name, count in lost.items() if count):
            yield f"Lines of {kind} left out for their number of columns: {counts}."
    if report.missing_tasks:
        yield f"Left out, no data: {', '.join(report.missing_tasks)}."
    if report.missing_submissions:
        yield f"The submission lacks: {', '.join(report.missing_submissions)}."
    short = [f"{file} {n} of {OFFICIAL_ROWS[file]}" for file, n in report.short_submissions.items()]
    if short:
        yield f"Not the leaderboard's number of answers: {', '.join(short)}."


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="GLUE's figures and submission")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--seen", help="data sets the checkpoint was trained on; unknown without it"
    )
    parser.add_argument("answers", nargs="+", metavar="TASK=SEED=FILE")
    options = parser.parse_args(arguments)
    answers: dict[str, dict[int, TaskAnswers]] = {}
    for given in options.answers:
        task, seed, file = given.split("=", 2)
        answers.setdefault(task, {})[int(seed)] = TaskAnswers(**read_json(Path(file)))
    seen = None if options.seen is None else [name for name in options.seen.split(",") if name]
    say(table(make_report(options.data, answers, options.out, seen=seen)))


if __name__ == "__main__":
    try:
        main()
    except PipelineError as problem:
        sys.exit(str(problem))
