"""evaluate: quality of every variant on the same validation rows: figures that any machine repeats.

Test rows are scored here for the baselines and the teacher alone; the gate scores the chosen model.
ONNX variants run through the runtime that serves them, one text at a time. Where thresholds or abstention
are asked for, each variant gets its own, from its scores on validation.

Reads   artifacts/{finetune,distill,prune}/model/, artifacts/{export,quantize}/*/,
        artifacts/baseline/predictions.parquet, artifacts/prepare/records.parquet
Writes  artifacts/evaluate/{variants.json, predictions.parquet, confusion.csv, plots/, metrics.json}
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.predictions import Answers, read_baselines, write_answers
from pipeline.acceptance.teacher_comparison import describe_variant, difference_interval
from pipeline.core.decision import Decision
from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say, track
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import BASELINES, NAIVE_BAYES, TEACHER, Variant, all_variants
from pipeline.metrics.quality import Scores, gold_of
from pipeline.metrics.slices import slice_masks
from pipeline.models.encoder import load_classifier, load_tokenizer, parameter_count, reads_segments
from pipeline.report.plots import plot_evaluation
from pipeline.runtime.scores import scores_of
from pipeline.runtime.task import Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.predict import predict_logits
from pipeline.training.token_rows import TokenRows

_BATCH_SIZE = 64
_SHOWN = (TEACHER, "pruned-int8")

Found = Mapping[str, Mapping[str, Judged]]
"""Variant → split → its answers, judged."""


def run(params: Params, paths: Paths) -> Metrics:
    """Answer, judge, compare, draw."""
    records, judge = paths.read("prepare", "records.parquet"), Judge.of(params)
    splits = {name: read_split(records, name) for name in ("validation", "test")}
    answers = read_baselines(
        paths.read("baseline", "predictions.parquet"),
        {name: split.ids for name, split in splits.items()},
        {name: split.targets for name, split in splits.items()},
    )
    for variant in all_variants():
        for name in ("validation", "test") if variant.name == TEACHER else ("validation",):
            answers.append(_answer(variant, name, splits[name], params=params, paths=paths))
    decisions = {a.variant: judge.fit(a) for a in answers if a.split == "validation"}
    found = _judged(answers, decisions, judge)
    entries = _entries(
        found, decisions, judge, validation=splits["validation"], params=params, paths=paths
    )
    write_json(paths.out / "variants.json", {"variants": entries})
    write_answers(paths.out / "predictions.parquet", answers)
    shown = {name: found[name]["validation"] for name in _SHOWN}
    plot_evaluation(paths.out, entries, shown, judge, labels=params.product.labels)
    figures = {entry["name"]: entry["quality"]["validation"][judge.metric] for entry in entries}
    headline = "  ".join(f"{name} {figures[name]:.3f}" for name in _SHOWN)
    return {
        "validation": figures,
        "quality_metric": judge.metric,
        "teacher_over_baseline": _gain_over_baseline(found, judge),
        "headline": f"{judge.metric}: {headline}",
    }


def _judged(answers: list[Answers], decisions: Mapping[str, Decision], judge: Judge) -> Found:
    """Validation cross-fitted, test by the decision that was fitted on all of validation."""
    found: dict[str, dict[str, Judged]] = {}
    for entry in answers:
        fitted_here = entry.split == "validation"
        judged = (
            judge.judge_fitted(entry)
            if fitted_here
            else judge.judge(entry, decisions[entry.variant])
        )
        found.setdefault(entry.variant, {})[entry.split] = judged
    return found


def _gain_over_baseline(found: Found, judge: Judge) -> dict[str, dict[str, Any]]:
    """By split: what the teacher gains over NB-LR, with its paired interval."""
    gains = {}
    for split in ("validation", "test"):
        gain = difference_interval(found[TEACHER][split], found[NAIVE_BAYES][split], judge)
        low, high = gain.as_list()
        say(f"evaluate  teacher over NB-LR on {split}: {gain.value:+.3f} [{low:+.3f}, {high:+.3f}]")
        gains[split] = {"value": gain.value, "interval": [low, high]}
    return gains


def _answer(variant: Variant, name: str, split: Split, *, params: Params, paths: Paths) -> Answers:
    """One variant on one split."""
    score = _score_onnx if variant.is_onnx else _score_torch
    scores = score(variant, split, params=params, paths=paths)
    return Answers(variant.name, name, split.ids, split.targets, scores)


def _score_onnx(variant: Variant, split: Split, *, params: Params, paths: Paths) -> Scores:
    # One thread: sums in another order would make the figures depend on the machine.
    task = Task.asked(params.product, params.prepare)
    model = TextModel.in_folder(variant.folder(paths), task=task, threads=1)
    requests = requests_of(split.texts, split.seconds)
    rows = model.scores_of_each(requests, workers=params.compute.threads)
    return np.stack(list(track(rows, f"evaluate {variant.name}", len(requests))))


def _score_torch(variant: Variant, split: Split, *, params: Params, paths: Paths) -> Scores:
    folder = variant.folder(paths)
    model = load_classifier(folder, labels=params.product.labels)
    rows = TokenRows.read(
        split.texts,
        seconds=split.seconds,
        tokenizer=load_tokenizer(folder),
        prepare=params.prepare,
        segments=params.product.pairs and reads_segments(model),
    )
    logits = predict_logits(
        model,
        rows,
        compute=params.compute.model_copy(update={"precision": "float32", "device": "cpu"}),
        batch_size=_BATCH_SIZE,
        task=f"evaluate {variant.name}",
    )
    return scores_of(params.product.problem, logits)


def _entries(
    found: Found,
    decisions: Mapping[str, Decision],
    judge: Judge,
    *,
    validation: Split,
    params: Params,
    paths: Paths,
) -> list[dict[str, Any]]:
    """The entry of each variant and baseline in variants.json."""
    requests = requests_of(validation.texts, validation.seconds)
    masks = slice_masks(
        [request if isinstance(request, str) else " ".join(request) for request in requests],
        gold_of(judge.problem, validation.targets),
        problem=judge.problem,
        labels=params.product.labels,
    )
    sizes: dict[str, dict[str, int | None]] = {
        name: {"size_bytes": None, "parameters": None} for name in BASELINES
    }
    sizes |= {
        variant.name: _size(variant, params=params, paths=paths) for variant in all_variants()
    }
    teacher = found[TEACHER]["validation"]
    return [
        {"name": name, **sizes[name], "decision": decisions[name].as_dict()}
        | describe_variant(by_split, teacher, masks, judge)
        for name, by_split in found.items()
    ]


def _size(variant: Variant, *, params: Params, paths: Paths) -> dict[str, int | None]:
    """Bytes of the file with the weights, and parameters of the model it came from."""
    torch_folder = Variant(variant.model, "torch").folder(paths)
    model = load_classifier(torch_folder, labels=params.product.labels)
    return {
        "size_bytes": variant.file(paths).stat().st_size,
        "parameters": parameter_count(model),
    }


if __name__ == "__main__":
    run_stage("evaluate", run)
