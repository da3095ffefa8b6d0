"""export: every trained model as ONNX, with proof that it answers as torch does.

Reads   artifacts/{pretrain,finetune,distill,prune}/model/, artifacts/prepare/records.parquet; in the
        folder of an adopted model artifacts/adopt/ in place of the four
Writes  artifacts/export/{teacher/, student/, pruned/, language_model/, certificate.json,
metrics.json}
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedModel

from pipeline.compression import language_model_onnx, onnx_export
from pipeline.core.artifacts import certificates as certified
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.errors import ArtifactError
from pipeline.core.files import sha256_file
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import LANGUAGE_MODEL, MODEL_FILE, TOKENIZER_FILE, models_in
from pipeline.models.encoder import load_classifier, load_tokenizer, reads_segments
from pipeline.models.language_models import load_language_model
from pipeline.problem.problems import problem_named
from pipeline.runtime.session import open_session
from pipeline.runtime.task import Request, Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split
from pipeline.training.token_rows import TokenRows, tokenize

_PARITY_TEXTS = 24


def run(params: Params, paths: Paths) -> Metrics:
    """Export each model, compare it with torch, certify it."""
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    requests = requests_of(validation.texts, validation.seconds)[:_PARITY_TEXTS]
    # Where numbers are large, float32 cannot tell small differences apart.
    problem = problem_named(params.product.problem)
    tolerance = params.export.tolerance * problem.tolerance_unit(validation.targets)
    certificates = {}
    for model, stage in models_in(paths).items():
        certificates[model] = _export(
            paths.read(stage, "model"),
            paths.out / model,
            requests=requests,
            tolerance=tolerance,
            params=params,
        )
        say(f"export  {model}: largest difference {certificates[model].largest_difference:.1e}")
    texts = validation.texts[:_PARITY_TEXTS]
    language_model = None
    if Adoption.found(paths) is None:
        language_model = _export_language_model(texts, params=params, paths=paths)
        say(f"export  language model: largest difference {language_model.largest_difference:.1e}")
    certified.ExportCertificates(models=certificates, language_model=language_model).write(paths)
    worst = max(certificate.largest_difference for certificate in certificates.values())
    return {
        "largest_difference": worst,
        "bytes": {model: certificate.bytes for model, certificate in certificates.items()},
        "headline": f"ONNX within {worst:.0e} of torch (limit {tolerance:.0e})",
    }


def _export(
    source: Path, target: Path, *, requests: Sequence[Request], tolerance: float, params: Params
) -> certified.ParityCertificate:
    """Write one model's folder and return its certificate."""
    model = load_classifier(source, labels=params.product.labels)
    segments = params.product.pairs and reads_segments(model)
    rows = tokenize(
        load_tokenizer(source),
        [request if isinstance(request, str) else request[0] for request in requests],
        seconds=[request[1] for request in requests if not isinstance(request, str)],
        max_length=params.prepare.max_length,
        window_stride=params.prepare.window_stride,
        segments=segments,
    )
    target.mkdir(parents=True, exist_ok=True)
    onnx_export.export_onnx(
        model,
        target / MODEL_FILE,
        opset=params.export.opset,
        segments=segments,
        max_length=params.prepare.max_length,
    )
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    _require_same_tokens(target, requests, rows, params=params)
    candidate = onnx_export.onnx_runner(open_session(target / MODEL_FILE, threads=1))
    reference, cases = onnx_export.torch_runner(model), _cases(model, rows, params)
    differences = onnx_export.largest_differences(reference, candidate, cases)
    return certified.ParityCertificate(
        **dict(_parity(target, differences, tolerance=tolerance)),
        pad_token_id=rows.pad_token_id,
        opset=params.export.opset,
        segments=segments,
        texts_with_equal_tokens=len(requests),
    )


def _cases(
    model: PreTrainedModel, rows: TokenRows, params: Params
) -> dict[str, onnx_export.ParityCase]:
    """Shape or text → the input on which torch and ONNX are compared."""
    return onnx_export.parity_cases(
        rows.ids[:_PARITY_TEXTS],
        vocabulary_size=model.config.vocab_size,
        max_length=params.prepare.max_length,
        pad_token_id=rows.pad_token_id,
        seed=params.compute.seed,
        segments=rows.segments and rows.segments[:_PARITY_TEXTS],
    )


def _parity(
    target: Path, differences: dict[str, float], *, tolerance: float
) -> certified.ParityFigures:
    """The figures of a model that was exported to `target`.

    Raises:
        ArtifactError: a difference is over the tolerance.
    """
    onnx_export.require_parity(target.name, differences, tolerance=tolerance)
    return certified.ParityFigures(
        passed=True,
        largest_difference=max(differences.values()),
        tolerance=tolerance,
        differences=differences,
        bytes=(target / MODEL_FILE).stat().st_size,
        sha256=sha256_file(target / MODEL_FILE),
    )


def _export_language_model(
    texts: Sequence[str], *, params: Params, paths: Paths
) -> certified.LanguageModelParity:
    """Write the pretrained language model's folder and return its certificate."""
    source, target = paths.read("pretrain", "model"), paths.out / LANGUAGE_MODEL
    model, tokenizer = load_language_model(source), load_tokenizer(source)
    target.mkdir(parents=True, exist_ok=True)
    language_model_onnx.export_language_model(model, target / MODEL_FILE, opset=params.export.opset)
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    rows = tokenize(tokenizer, texts, max_length=params.prepare.max_length)
    differences = language_model_onnx.largest_difference(
        language_model_onnx.torch_answers(model),
        language_model_onnx.onnx_answers(open_session(target / MODEL_FILE, threads=1)),
        _cases(model, rows, params),
    )
    return certified.LanguageModelParity(
        **dict(_parity(target, differences, tolerance=params.export.tolerance)),
        family=language_model_onnx.family_of(model),
    )


def _require_same_tokens(
    folder: Path, requests: Sequence[Request], rows: TokenRows, *, params: Params
) -> None:
    """Refuse a tokenizer that gives the runtime other ids than the model was trained on."""
    task = Task.from_settings(params.product, params.prepare)
    model = TextModel.in_folder(folder, task=task, threads=1)
    found = [(row.ids, request) for request in requests for row in model.read(request)[0]]
    for (got, request), expected in zip(found, rows.ids, strict=True):
        if got != expected:
            raise ArtifactError(
                f"{folder.name}: {TOKENIZER_FILE} gives ids {got[:12]} for {str(request)[:40]!r}",
                expected=f"those of AutoTokenizer: {expected[:12]}",
                next_step="save the tokenizer with `save_pretrained` so that the two agree",
            )


if __name__ == "__main__":
    run_stage("export", run)
