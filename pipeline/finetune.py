"""finetune: trains the teacher, a pretrained encoder, on the product's labels.

Reads   artifacts/prepare/{records.parquet, related.parquet, sentences.parquet, teacher_tokenizer/},
        artifacts/baseline/predictions.parquet
Writes  artifacts/finetune/{model/, curve.csv, metrics.json}
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance.predictions import Answers, read_answers
from pipeline.core.errors import TrainingError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.metrics.intervals import paired_difference
from pipeline.metrics.quality import figure_of
from pipeline.models.encoder import load_tokenizer, parameter_count, save_model
from pipeline.problem.decision import Decision
from pipeline.problem.problems import problem_named
from pipeline.training.curve import Curve
from pipeline.training.phases.fine_tuning import FineTuning
from pipeline.training.seeds import Seeds, spread
from pipeline.training.validation import QUALITY

_CONFIDENCE, _RESAMPLES = 0.95, 2000


def run(params: Params, paths: Paths) -> Metrics:
    """Fine-tunes the checkpoint once per seed; saves the best on validation, or the mean of all."""
    tokenizer = load_tokenizer(paths.read("prepare", "teacher_tokenizer"))
    tuning = FineTuning.read(params, paths, tokenizer)
    settings = params.finetune
    seeds = Seeds(
        paths.checkpoints, first=params.compute.seed, count=settings.seeds, keep=settings.keep
    )
    model, results = seeds.train(
        tuning.load, tuning.run, lambda model: tuning.validation.quality(model)[QUALITY]
    )
    report = tuning.validation.report(model)
    bar, metric = _strongest_baseline(params, paths), report["quality_metric"]
    rows = tuning.validation.row_scores(model)
    _must_not_be_worse(bar, rows, quality=report[QUALITY], metric=metric)
    best = max(results, key=lambda result: result.quality)
    Curve(tuning.curve, figures=[QUALITY]).restore(best.curve)
    save_model(model, tokenizer, paths.out / "model")
    seeds.clear()
    tuning.clear()
    shown = f"{metric} {report[QUALITY]:.3f}"
    return {
        **report,
        "baseline_validation_quality": bar.quality,
        **spread(results),
        "kept": settings.keep,
        "adapted_tokens": 0 if tuning.adaptation is None else tuning.adaptation.tokens,
        "related_rows": 0 if tuning.related is None else len(tuning.related.targets),
        "parameters": parameter_count(model),
        "headline": f"validation {shown} ({bar.name} {bar.quality:.3f})",
    }


@dataclass(frozen=True, kw_only=True)
class _Bar:
    """The best baseline: its quality on validation, and its score of each row, `(rows,)`."""

    name: str
    quality: float
    row_scores: NDArray[np.float64]


def _strongest_baseline(params: Params, paths: Paths) -> _Bar:
    problem = problem_named(params.product.problem)
    metric = params.product.requirements.quality_metric

    def bar(found: Answers) -> _Bar:
        gold, answers = problem.gold(found.targets), problem.answers(found.scores, Decision())
        return _Bar(
            name=found.variant,
            quality=figure_of(metric, gold=gold, answers=answers, scores=found.scores),
            row_scores=problem.row_scores(gold, answers),
        )

    file = paths.read("baseline", "predictions.parquet")
    answers = read_answers(file, name="model").items()
    bars = [bar(found) for (_, split), found in answers if split == "validation"]
    return max(bars, key=lambda bar: bar.quality)


def _must_not_be_worse(
    bar: _Bar, row_scores: NDArray[np.float64], *, quality: float, metric: str
) -> None:
    """Refuses a teacher that knows less than single words tell; a tie, as on easy texts, is said.

    Raises:
        TrainingError: it is worse by more than chance, on the same rows.
    """
    if quality > bar.quality or quality >= 1.0:  # no metric has more than 1
        return
    gain = paired_difference(
        row_scores, bar.row_scores, confidence=_CONFIDENCE, resamples=_RESAMPLES, seed=1
    )
    if gain.high < 0:
        raise TrainingError(
            f"a teacher with validation {metric} {quality:.3f}",
            expected=f"more than the {bar.name}'s {bar.quality:.3f}",
            next_step="look for wrong labels, bring more labelled rows (artifacts/baseline has a learning "
            "curve), or try another prepare.checkpoint",
        )
    say(
        f"finetune  NOTE the teacher has {metric} {quality:.3f} on {len(row_scores):,} validation rows and"
        f" {bar.name} {bar.quality:.3f}: the difference may be chance; more labelled rows would tell"
    )


if __name__ == "__main__":
    run_stage("finetune", run)
