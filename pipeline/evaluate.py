"""evaluate: quality of every variant on the same validation rows: figures that any machine repeats.

Test rows are scored here for the baselines and the teacher alone; the gate scores the chosen model.
ONNX variants run in the runtime that serves them, one text at a time. Where thresholds or
abstention are fitted, each variant gets its own, from its scores on validation. ONNX variants are asked again
with the groups of people that a text names exchanged for others; no decision reads test, so neither does this.

Reads   artifacts/{finetune,distill,prune}/model/, artifacts/{export,quantize}/*/,
        artifacts/baseline/predictions.parquet, artifacts/prepare/records.parquet
Writes  artifacts/evaluate/{variants.json, predictions.parquet, confusion.csv, plots/, metrics.json}
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.predictions import Answers, read_baselines, write_answers
from pipeline.acceptance.row_slices import row_slices
from pipeline.acceptance.swaps import exchanged, swap_reports
from pipeline.acceptance.teacher_comparison import ModelSize, describe_variant, difference_interval
from pipeline.core.artifacts.table_columns import VariantPredictions
from pipeline.core.artifacts.variant_reports import SwapReport, VariantReports
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say, track
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import BASELINES, TEACHER, TORCH, Variant, smallest_int8, variants_in
from pipeline.models.baselines import strongest
from pipeline.models.encoder import load_classifier, load_tokenizer, parameter_count, reads_segments
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores
from pipeline.problem.problems import problem_named
from pipeline.report.plots import plot_evaluation
from pipeline.runtime.task import Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.text.identity_terms import chosen_terms
from pipeline.text.term_finding import TermFinder
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.predict import predict_logits
from pipeline.training.token_rows import tokenize

_BATCH_SIZE = 64

Found = Mapping[str, Mapping[str, Judged]]
"""Variant → split → its answers, judged."""


def run(params: Params, paths: Paths) -> Metrics:
    """Answer with every variant, judge the answers, describe and draw what was found."""
    judge = Judge.of(params)
    records = paths.read("prepare", "records.parquet")
    splits = {name: read_split(records, name) for name in ("validation", "test")}
    answers = _answers(splits, params=params, paths=paths)
    decisions = {a.variant: judge.fit(a) for a in answers if a.split == "validation"}
    found = _judged(answers, decisions, judge)
    validation, labels = splits["validation"], params.product.labels
    masks = row_slices(
        validation.texts,
        validation.seconds,
        validation.targets,
        problem=judge.problem,
        labels=labels,
    )
    before = {a.variant: a.scores for a in answers if a.split == "validation"}
    swaps = _swaps(validation, before, decisions, judge=judge, params=params, paths=paths)
    reports = [
        describe_variant(
            name,
            by_split,
            teacher=found[TEACHER]["validation"],
            masks=masks,
            decision=decisions[name],
            size=_size(name, params=params, paths=paths),
            judge=judge,
            swaps=swaps.get(name, []),
        )
        for name, by_split in found.items()
    ]
    VariantReports(variants=reports).write(paths)
    write_answers(paths.out / "predictions.parquet", answers, VariantPredictions.columns())
    shown = {name: found[name]["validation"] for name in (TEACHER, smallest_int8(paths))}
    plot_evaluation(paths.out, reports, shown, judge=judge, labels=labels)
    figures = {report.name: report.quality.validation.figures[judge.metric] for report in reports}
    headline = "  ".join(f"{name} {figures[name]:.3f}" for name in shown)
    return {
        "validation": figures,
        "quality_metric": judge.metric,
        "headline": f"{judge.metric}: {headline}",
        "teacher_over_baseline": _gain_over_baseline(found, judge),
    }


def _answers(splits: Mapping[str, Split], *, params: Params, paths: Paths) -> list[Answers]:
    """Answers of the baselines, then of every variant; test only by the teacher and baselines."""
    answers = read_baselines(
        paths.read("baseline", "predictions.parquet"),
        {name: split.ids for name, split in splits.items()},
        {name: split.targets for name, split in splits.items()},
    )
    for variant in variants_in(paths):
        score = _score_onnx if variant.is_onnx else _score_torch
        for name in ("validation", "test") if variant.name == TEACHER else ("validation",):
            ids, targets = splits[name].ids, splits[name].targets
            scores = score(variant, splits[name], params=params, paths=paths)
            answers.append(
                Answers(variant=variant.name, split=name, ids=ids, targets=targets, scores=scores)
            )
    return answers


def _judged(answers: list[Answers], decisions: Mapping[str, Decision], judge: Judge) -> Found:
    """Judge validation cross-fitted, and test by the decision fitted on all of validation."""
    found: dict[str, dict[str, Judged]] = {}
    for entry in answers:
        found.setdefault(entry.variant, {})[entry.split] = (
            judge.judge_fitted(entry)
            if entry.split == "validation"
            else judge.judge(entry, decisions[entry.variant])
        )
    return found


def _gain_over_baseline(found: Found, judge: Judge) -> dict[str, dict[str, Any]]:
    """Split → what the teacher gains over the baseline that is best on validation.

    Its name, the gain and its paired interval.
    """
    on_validation = {
        name: by_split["validation"].figure(judge.metric)
        for name, by_split in found.items()
        if name in BASELINES
    }
    best, gains = strongest(on_validation), {}
    for split in ("validation", "test"):
        gain = difference_interval(found[TEACHER][split], found[best][split], judge)
        low, high = gain.as_list()
        say(
            f"evaluate  teacher over {best} on {split}: {gain.value:+.3f} [{low:+.3f}, {high:+.3f}]"
        )
        gains[split] = {"baseline": best, "value": gain.value, "interval": [low, high]}
    return gains


def _score_onnx(variant: Variant, split: Split, *, params: Params, paths: Paths) -> Scores:
    # One thread: sums in another order would make the figures depend on the machine.
    task = Task.from_settings(params.product, params.prepare)
    model = TextModel.in_folder(variant.folder(paths), task=task, threads=1)
    requests = requests_of(split.texts, split.seconds)
    rows = model.scores_of_each(requests, workers=params.compute.threads)
    return np.stack(list(track(rows, f"evaluate {variant.name}", len(requests))))


def _score_torch(variant: Variant, split: Split, *, params: Params, paths: Paths) -> Scores:
    folder = variant.folder(paths)
    model = load_classifier(folder, labels=params.product.labels)
    rows = tokenize(
        load_tokenizer(folder),
        split.texts,
        seconds=split.seconds,
        max_length=params.prepare.max_length,
        window_stride=params.prepare.window_stride,
        segments=params.product.pairs and reads_segments(model),
    )
    logits = predict_logits(
        model,
        rows,
        compute=params.compute.model_copy(update={"precision": "float32", "device": "cpu"}),
        batch_size=_BATCH_SIZE,
        task=f"evaluate {variant.name}",
    )
    return problem_named(params.product.problem).scores(logits)


def _swaps(
    validation: Split,
    before: Mapping[str, Scores],
    decisions: Mapping[str, Decision],
    *,
    judge: Judge,
    params: Params,
    paths: Paths,
) -> dict[str, list[SwapReport]]:
    """ONNX variant → how its answers change where groups of people are exchanged.

    Args:
        before: variant → its scores on validation.
    """
    finder = TermFinder(chosen_terms(params.product.identity_terms))
    asked = exchanged(validation.texts, validation.seconds, finder)
    if not asked.texts:
        return {}
    split = Split(
        ids=[validation.ids[row] for row in asked.rows],
        texts=asked.texts,
        seconds=asked.seconds,
        targets=validation.targets[asked.rows],
    )
    return {
        variant.name: swap_reports(
            asked,
            before=before[variant.name],
            after=_score_onnx(variant, split, params=params, paths=paths),
            problem=judge.problem,
            decision=decisions[variant.name],
            unit=judge.problem.tolerance_unit(validation.targets),
            min_rows=judge.options.min_slice_rows,
            draws=judge.draws,
        )
        for variant in variants_in(paths)
        if variant.is_onnx
    }


def _size(name: str, *, params: Params, paths: Paths) -> ModelSize:
    """Bytes of the file with the weights, and parameters of the model it was made from."""
    variant = next((variant for variant in variants_in(paths) if variant.name == name), None)
    if variant is None:
        return ModelSize()
    trained = Variant(variant.model, TORCH).folder(paths)
    model = load_classifier(trained, labels=params.product.labels)
    return ModelSize(bytes=variant.file(paths).stat().st_size, parameters=parameter_count(model))


if __name__ == "__main__":
    run_stage("evaluate", run)
