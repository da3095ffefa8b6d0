"""Takes a research model in: reads it, tries it out, and leaves it as a training stage would have.

    python -m pipeline.adopt.take_in PATH [--class NAME] [--name NAME] [--licence SPDX]

It runs in the folder that flows/adopt.py has made; the stages from export to gate run there after it.

Reads   PATH, build.yaml, artifacts/prepare/records.parquet
Writes  artifacts/adopt/{model/, adoption.json}
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.adopt.found_tokenizer import kind_of_tokenizer, require_same_reading
from pipeline.adopt.research_model import ResearchModel, read_research_model
from pipeline.adopt.tryout import Cases, try_out
from pipeline.compression import onnx_export
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.errors import PipelineError
from pipeline.core.files import atomic_folder, sha256_file
from pipeline.core.output import forgive_output
from pipeline.core.params import Params, load_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import seed_everything
from pipeline.core.variants import TOKENIZER_FILE
from pipeline.models.encoder import parameter_count, reads_segments
from pipeline.models.weight_files import sha256_weights
from pipeline.problem.problems import problem_named
from pipeline.runtime.task import Request, requests_of
from pipeline.training.labelled_rows import read_split
from pipeline.training.token_rows import tokenize

_TEXTS = 24


def take_in(
    path: Path,
    *,
    params: Params,
    paths: Paths,
    class_name: str = "",
    name: str = "",
    licence: str | None = None,
) -> Adoption:
    """Writes the model and its note, whole or not at all, and returns the note.

    Args:
        name: what to call it; "" takes its folder's or its class's name.
        licence: SPDX identifier; None for the team's own work.

    Raises:
        ArtifactError, DataError: what is in the way of serving this model, and the way out.
    """
    found = read_research_model(path, labels=params.product.labels, class_name=class_name)
    say(f"adopt  {found.family}: {parameter_count(found.model):,} parameters; trying it out")
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    requests = requests_of(validation.texts, validation.seconds)[:_TEXTS]
    require_same_reading(
        found.tokenizer,
        found.folder / TOKENIZER_FILE,
        requests,
        params=params.prepare,
        of=found.name,
    )
    segments = params.product.pairs and reads_segments(found.model)
    unit = problem_named(params.product.problem).tolerance_unit(validation.targets)
    try_out(
        found.model,
        _cases(found, requests, segments=segments, params=params),
        code=found.code,
        tolerance=params.export.tolerance * unit,
        segments=segments,
        params=params,
        of=found.name,
    )
    note = _note(found, name=name, licence=licence)
    _save(found, paths.out, note)
    say(f"adopt  {note.name} answers alike in torch and ONNX, and int8 takes all its large weights")
    return note


def _cases(
    found: ResearchModel, requests: Sequence[Request], *, segments: bool, params: Params
) -> Cases:
    rows = tokenize(
        found.tokenizer,
        [request if isinstance(request, str) else request[0] for request in requests],
        seconds=[request[1] for request in requests if not isinstance(request, str)],
        max_length=params.prepare.max_length,
        window_stride=params.prepare.window_stride,
        segments=segments,
    )
    cases = onnx_export.parity_cases(
        rows.ids[:_TEXTS],
        vocabulary_size=max(found.tokenizer.get_vocab().values()) + 1,
        max_length=params.prepare.max_length,
        pad_token_id=rows.pad_token_id,
        seed=params.compute.seed,
        segments=rows.segments and rows.segments[:_TEXTS],
    )
    highest = cases["one token"].input_ids * 0 + max(found.tokenizer.get_vocab().values())
    return cases | {
        "the last token of the tokenizer": onnx_export.ParityCase(
            highest, cases["one token"].attention_mask, cases["one token"].segments
        )
    }


def _note(found: ResearchModel, *, name: str, licence: str | None) -> Adoption:
    return Adoption(
        name=name or found.name,
        kind=found.kind,
        family=found.family,
        tokenizer=kind_of_tokenizer(found.folder),
        parameters=parameter_count(found.model),
        licence=licence,
        weights_sha256=sha256_weights(found.weights),
        code_sha256=None if found.code is None else sha256_file(found.code),
        tokenizer_sha256=sha256_file(found.folder / TOKENIZER_FILE),
    )


def _save(found: ResearchModel, folder: Path, note: Adoption) -> None:
    with atomic_folder(folder) as temporary:
        model = temporary / "model"
        model.mkdir()
        found.save(model)
        found.tokenizer.save_pretrained(model)
        # The very file that the runtime was compared with: saving may write another.
        shutil.copyfile(found.folder / TOKENIZER_FILE, model / TOKENIZER_FILE)
        note.save(temporary / Adoption.FILE.rpartition("/")[2])


def main(arguments: Sequence[str] | None = None) -> int:
    """Takes in the model that the command names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.adopt.take_in")
    parser.add_argument("path", type=Path)
    parser.add_argument("--class", dest="class_name", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--licence")
    options = parser.parse_args(arguments)
    forgive_output()
    paths = Paths(root=Path.cwd(), stage="adopt")
    params = load_params(paths.build)
    seed_everything(params.compute.seed)
    try:
        take_in(
            options.path,
            params=params,
            paths=paths,
            class_name=options.class_name,
            name=options.name,
            licence=options.licence,
        )
    except PipelineError as error:
        print(f"adopt failed\n  {error}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
