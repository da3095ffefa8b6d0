"""GLUE's figures and submission from the answers that `pipeline.glue.train` left.

    python -m pipeline.glue.task_report --data DIR --out FOLDER --seen MultiNLI,QQP CoLA=1=a.json CoLA=2=b.json …

Writes `report.json` and `submission.zip` into FOLDER and prints the table. Of several seeds, the one with
the best development figure answers the test rows.
"""

import argparse
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.progress import say
from pipeline.glue.official_files import read_labelled
from pipeline.glue.seen import tasks_seen
from pipeline.glue.submission import answers_of, missing_files, write_submission
from pipeline.glue.tasks import OFFICIAL_ROWS, PUBLIC, TASKS, Task
from pipeline.metrics.glue_metrics import METRICS, mean_with_interval

_RESAMPLES = 1000
_SEED = 0
_WIDTH = 100

Answers = Mapping[str, Any]


def figures(task: Task, data: Path, answers: Mapping[int, Answers]) -> dict[str, Any]:
    """By development set and metric: the mean over seeds, its interval over rows, each seed's figure."""
    found: dict[str, Any] = {}
    for file, name in task.development.items():
        gold = np.array(read_labelled(task, data / task.name / file).targets)
        given = {seed: np.array(entry["development"][name]) for seed, entry in answers.items()}
        found[name] = {}
        for metric in task.metrics:
            mean, interval = mean_with_interval(
                metric, gold, list(given.values()), resamples=_RESAMPLES, seed=_SEED
            )
            found[name][metric] = {
                "mean": mean,
                "interval": list(interval),
                "seeds": {str(s): METRICS[metric](gold, values) for s, values in given.items()},
            }
    return found


def best_seed(task: Task, entry: Mapping[str, Any]) -> int:
    """The seed that is best on the task's first development set."""
    name, metric = next(iter(task.development.values())), task.metrics[0]
    seeds = entry[name][metric]["seeds"]
    return int(max(seeds, key=seeds.__getitem__))


def make_report(
    data: Path,
    answers: Mapping[str, Mapping[int, Answers]],
    out: Path,
    *,
    seen: Sequence[str] | None,
) -> dict[str, Any]:
    """Write report and submission; returns the report.

    Args:
        seen: data sets that the checkpoint was trained on; None where that is not known.
    """
    entries: dict[str, Any] = {}
    submitted: dict[str, list[str]] = {}
    flattered = None if seen is None else tasks_seen(seen)
    for name, by_seed in answers.items():
        task = TASKS[name]
        found = figures(task, data, by_seed)
        test = by_seed[best_seed(task, found)]["test"]
        submitted |= {file: answers_of(task, outputs) for file, outputs in test.items()}
        malformed = next(iter(by_seed.values()))["malformed"]
        lost = {
            key: read_labelled(task, data / name / file).malformed
            for file, key in task.development.items()
        }
        for key, by_metric in found.items():
            entries[key] = by_metric | {
                "seen_by_checkpoint": None if flattered is None else name in flattered,
                "malformed_training_rows": malformed,
                "malformed_development_rows": lost[key],
            }
    path = out / "submission.zip"
    write_submission(path, submitted)
    report = {
        "tasks": entries,
        "missing_tasks": [name for name in TASKS if name not in answers],
        "missing_submissions": missing_files(path),
        "short_submissions": {
            file: len(rows) for file, rows in submitted.items() if len(rows) != OFFICIAL_ROWS[file]
        },
        "public": {name: dict(row) for name, row in PUBLIC.items()},
    }
    write_json(out / "report.json", report)
    return report


def table(report: Mapping[str, Any]) -> str:
    """One line a metric, beside others' figures, in percent; no line is wider than 100 columns."""
    public: Mapping[str, Mapping[str, float]] = report["public"]
    head = f"{'task':10}{'metric':10}{'mean':>7}  {'95 % interval':16}{'seeds':>5}"
    head += "".join(f"{name:>12}" for name in public)
    lines = [head, "─" * len(head)]
    for name, entry in report["tasks"].items():
        first = name + ("*" if entry["seen_by_checkpoint"] else "")
        others = "".join(
            f"{row[name]:12.1f}" if name in row else " " * 12 for row in public.values()
        )
        for metric in (key for key in entry if key in METRICS):
            lines.append(f"{first:10}{metric:10}{_figures(entry[metric])}{others}".rstrip())
            first = others = ""  # said once
    return "\n".join(part for line in [*lines, *_notes(report)] for part in _folded(line))


def _figures(value: Mapping[str, Any]) -> str:
    low, high = value["interval"]
    interval = f"[{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * value['mean']:7.1f}  {interval:16}{len(value['seeds']):>5}"


def _notes(report: Mapping[str, Any]) -> list[str]:
    """What the table does not say of itself."""
    tasks = report["tasks"]
    notes = ["Others' figures: Sanh et al. 2019, table 1; development sets, in percent."]
    if any(entry["seen_by_checkpoint"] for entry in tasks.values()):
        notes.append("* The checkpoint has seen data of this task: the figure flatters it.")
    if any(entry["seen_by_checkpoint"] is None for entry in tasks.values()):
        notes.append(
            "What this encoder was trained on is not known, so no figure is marked: say it with --seen."
        )
    for kind in ("training", "development"):
        lost = {name: entry[f"malformed_{kind}_rows"] for name, entry in tasks.items()}
        if any(lost.values()):
            counts = ", ".join(f"{name} {count}" for name, count in lost.items() if count)
            notes.append(f"Lines of {kind} left out for their number of columns: {counts}.")
    if report["missing_tasks"]:
        notes.append(f"Left out, no data: {', '.join(report['missing_tasks'])}.")
    if report["missing_submissions"]:
        notes.append(f"The submission lacks: {', '.join(report['missing_submissions'])}.")
    if short := report["short_submissions"]:
        counts = ", ".join(
            f"{file} {rows} of {OFFICIAL_ROWS[file]}" for file, rows in short.items()
        )
        notes.append(f"Not the leaderboard's number of answers: {counts}.")
    return notes


def _folded(line: str) -> list[str]:
    return textwrap.wrap(line, _WIDTH, subsequent_indent="  ") if len(line) > _WIDTH else [line]


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
    answers: dict[str, dict[int, Answers]] = {}
    for given in options.answers:
        task, seed, file = given.split("=", 2)
        answers.setdefault(task, {})[int(seed)] = read_json(Path(file))
    seen = None if options.seen is None else [name for name in options.seen.split(",") if name]
    say(table(make_report(options.data, answers, options.out, seen=seen)))


if __name__ == "__main__":
    try:
        main()
    except PipelineError as problem:
        sys.exit(str(problem))
