"""finetune: trains the teacher, a pretrained encoder, on the product's labels.

Reads   artifacts/prepare/{records.parquet, related.parquet, sentences.parquet, teacher_tokenizer/},
        artifacts/baseline/predictions.parquet
Writes  artifacts/finetune/{model/, curve.csv, metrics.json}
"""

from pipeline.acceptance.predictions import read_answers
from pipeline.core.errors import TrainingError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.metrics.quality import quality_figure
from pipeline.models.encoder import load_tokenizer, parameter_count, save_model
from pipeline.problem.problems import problem_named
from pipeline.training.curve import Curve
from pipeline.training.phases.fine_tuning import FineTuning
from pipeline.training.seeds import Seeds, spread
from pipeline.training.validation import QUALITY


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
    name, baseline = _strongest_baseline(params, paths)
    _must_beat(name, baseline, quality=report[QUALITY], metric=report["quality_metric"])
    best = max(results, key=lambda result: result.quality)
    Curve(tuning.curve, figures=[QUALITY]).restore(best.curve)
    save_model(model, tokenizer, paths.out / "model")
    seeds.clear()
    tuning.clear()
    shown = f"{report['quality_metric']} {report[QUALITY]:.3f}"
    return {
        **report,
        "baseline_validation_quality": baseline,
        **spread(results),
        "kept": settings.keep,
        "adapted_tokens": 0 if tuning.adaptation is None else tuning.adaptation.tokens,
        "related_rows": 0 if tuning.related is None else len(tuning.related.targets),
        "parameters": parameter_count(model),
        "headline": f"validation {shown} ({name} {baseline:.3f})",
    }


def _strongest_baseline(params: Params, paths: Paths) -> tuple[str, float]:
    """The name and the validation quality of the best baseline."""
    file = paths.read("baseline", "predictions.parquet")
    found = {
        answers.variant: quality_figure(
            params.product.requirements.quality_metric,
            problem=problem_named(params.product.problem),
            targets=answers.targets,
            scores=answers.scores,
        )
        for (_, split), answers in read_answers(file, name="model").items()
        if split == "validation"
    }
    name = max(found, key=found.__getitem__)
    return name, found[name]


def _must_beat(name: str, baseline: float, *, quality: float, metric: str) -> None:
    if quality <= baseline and quality < 1.0:  # no metric has more than 1
        raise TrainingError(
            f"a teacher with validation {metric} {quality:.3f}",
            expected=f"more than the {name}'s {baseline:.3f}",
            next_step="train longer (finetune.epochs), try another prepare.checkpoint, or ship the baseline",
        )


if __name__ == "__main__":
    run_stage("finetune", run)
