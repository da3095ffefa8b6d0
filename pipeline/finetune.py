"""finetune: the teacher: a pre-trained encoder that learns the labels.

Reads   artifacts/prepare/{records.parquet, related.parquet, teacher_tokenizer/},
        artifacts/baseline/predictions.parquet
Writes  artifacts/finetune/{model/, curve.csv, metrics.json}
"""

from pipeline.core.errors import TrainingError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import NAIVE_BAYES
from pipeline.metrics.predictions import read_baseline
from pipeline.metrics.quality import quality_figure
from pipeline.models.encoder import load_tokenizer, parameter_count, save_model
from pipeline.runtime.scores import scores_of
from pipeline.training.curve import Curve
from pipeline.training.seeds import Seeds, spread
from pipeline.training.teaching import Teaching
from pipeline.training.validation import QUALITY


def run(params: Params, paths: Paths) -> Metrics:
    """Fine-tune the checkpoint on the training rows, once a seed; keep the best on validation."""
    tokenizer = load_tokenizer(paths.read("prepare", "teacher_tokenizer"))
    teaching = Teaching.of(params, paths, tokenizer, scores=scores_of)
    seeds = Seeds(paths.checkpoints, first=params.compute.seed, count=params.finetune.seeds)
    model, outcomes = seeds.train(
        teaching.load, teaching.teach, lambda model: teaching.validation.quality(model)[QUALITY]
    )
    report = teaching.validation.report(model)
    baseline = _baseline_quality(params, paths)
    _must_beat(report[QUALITY], baseline, report["quality_metric"])
    best = max(outcomes, key=lambda outcome: outcome.quality)
    Curve(teaching.curve, figures=[QUALITY]).restore(best.curve)
    save_model(model, tokenizer, paths.out / "model")
    seeds.clear()
    if teaching.related is not None:
        teaching.related.clear()
    shown = f"{report['quality_metric']} {report[QUALITY]:.3f}"
    return {
        **report,
        "baseline_validation_quality": baseline,
        **spread(outcomes),
        "related_rows": 0 if teaching.related is None else teaching.related.count,
        "parameters": parameter_count(model),
        "headline": f"validation {shown} (NB-LR {baseline:.3f})",
    }


def _baseline_quality(params: Params, paths: Paths) -> float:
    """Validation quality of the strongest baseline."""
    answers = read_baseline(
        paths.read("baseline", "predictions.parquet"), NAIVE_BAYES, split="validation"
    )
    return quality_figure(
        params.product.requirements.quality_metric,
        problem=params.product.problem,
        targets=answers.targets,
        scores=answers.scores,
    )


def _must_beat(quality: float, baseline: float, metric: str) -> None:
    if quality <= baseline and quality < 1.0:  # no metric has more than 1
        raise TrainingError(
            f"a teacher with validation {metric} {quality:.3f}",
            expected=f"more than the {NAIVE_BAYES}'s {baseline:.3f}",
            next_step="train longer (finetune.epochs), try another prepare.checkpoint, or ship the baseline",
        )


if __name__ == "__main__":
    run_stage("finetune", run)
