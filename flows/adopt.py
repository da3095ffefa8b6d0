"""Takes a team's own research model through export, int8, evaluation, gate and release.

    modelyard adopt                         # only make the rows, to train on
    modelyard adopt PATH                    # a transformers folder, or a Python file with a module
    modelyard adopt FILE --class ReviewCnn  # where the file has several
    modelyard adopt PATH --no-release       # stop after the gate

The product's rows and requirements are its product file's: the stages up to baseline run first, where
they are stale. Nothing is trained. The stages from export on run as they are, in a folder of the model's
own, `.modelyard/adopted/<product>`, where DVC does not record them: docs/adr/0050.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flows.check import check_place
from flows.execution.locks import build_lock, supervised
from flows.execution.runner import Runner, open_runner
from flows.execution.workspace import keep_results, workspace_for
from flows.fetching.before_build import bring_sources
from flows.planning.codelock import refresh_code_lock
from flows.planning.machine import refresh_machine
from flows.planning.resolution import Variation, refresh_build_file, resolved
from flows.release import product_of, release_bundle
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.files import atomic_folder, atomic_path
from pipeline.core.paths import BUILD_FILE, Paths
from pipeline.core.progress import say

ROW_STAGES = ("collect", "validate", "label", "prepare", "baseline")
"""The stages that make a product's rows, and what any model is compared with."""
MODEL_STAGES = ("export", "quantize", "evaluate", "measure", "gate")
"""The stages that a model passes from its weights to a bundle."""
_COPIED = (BUILD_FILE, "dvc.yaml", "code.lock.json", "machine.json")
_LINKED = ("pipeline", "data", "annotations", "splits")


class ProcessFailedError(PipelineError):
    """A process of an adoption ended without a result, after it has said why itself."""


@dataclass(frozen=True, kw_only=True)
class AdoptRequest:
    """The model to adopt, and its names.

    Attributes:
        class_name: the module's class; "" where its file has one that reads `input_ids`.
        name: "" takes the name of its folder or class.
        licence: SPDX identifier; "" for the team's own work.
    """

    path: Path
    class_name: str = ""
    name: str = ""
    licence: str = ""

    def arguments(self) -> list[str]:
        """The words of `pipeline.adopt.take_in`."""
        named = {"--class": self.class_name, "--name": self.name, "--licence": self.licence}
        given = [f"{option}={value}" for option, value in named.items() if value]
        return [*given, "--", str(self.path.resolve())]


def add_adopt(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's options."""
    where = (
        "folder with config.json, or a .py with weights and tokenizer beside it; without it only the "
        "rows are made, to train on"
    )
    parser.add_argument("path", type=Path, nargs="?", help=where)
    parser.add_argument(
        "--class", dest="class_name", default="", metavar="NAME", help="the module's class"
    )
    parser.add_argument(
        "--name", default="", help="what to call it; else its folder's or class's name"
    )
    licence = "SPDX identifier of its licence; else it is the team's own work"
    parser.add_argument("--licence", default="", metavar="SPDX", help=licence)
    parser.add_argument("--no-release", action="store_true", help="stop after the gate")
    parser.add_argument("--port", type=int, help="where a new server should listen")
    parser.set_defaults(release=True)


def adopt(
    root: Path,
    model: AdoptRequest,
    variation: Variation,
    *,
    release: bool = True,
    port: int | None = None,
) -> Path:
    """Takes the model to a bundle, which is released where that is asked; returns the bundle's folder.

    Raises:
        ProcessFailedError: it cannot be read, exported, or does not meet the requirements, and why has
            been printed. What was served before is served.
        PipelineError: its path is wrong, its product has no rows, or it could not be released.
    """
    if not model.path.exists():
        raise ParameterError(
            f"{model.path}: no such file or folder",
            expected="a transformers folder, or a Python file",
            next_step="correct the path",
        )
    with _with_rows(root, variation) as runner:
        folder = Paths(root).state / "adopted" / product_of(runner.workspace)
        make_folder(folder, runner.workspace)
        run_in(folder, "pipeline.adopt.take_in", model.arguments(), runner.environment)
        for stage in MODEL_STAGES:
            run_in(folder, f"pipeline.{stage}", [], runner.environment)
        _show(folder)
        bundle = Paths(folder).read("gate", "bundle")
        if release:
            why = f"{model.path} was adopted"
            done = release_bundle(root=root, bundle=bundle, mlflow_run_id=None, why=why, port=port)
            say(f"\n{done.name}: {done.outcome}\nDemo: {str(done.address).rstrip('/')}/")
        else:
            say(f"\nNot released. `modelyard release {bundle}` releases it.")
    return bundle


def make_rows(root: Path, variation: Variation) -> Path:
    """Brings the product's rows up to date, to train on; returns their file, in which `split` tells them apart."""
    with _with_rows(root, variation) as runner:
        rows = Paths(runner.workspace).read("prepare", "records.parquet")
        if runner.workspace != root:  # a worktree goes when the command ends
            kept = Paths(root).state / "adopted" / f"{product_of(runner.workspace)}.parquet"
            kept.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(kept) as temporary:
                shutil.copyfile(rows, temporary)
            rows = kept
    say(f"\nTrain on the rows whose `split` is train: {rows}\nThen: modelyard adopt PATH")
    return rows


@contextmanager
def _with_rows(root: Path, variation: Variation) -> Iterator[Runner]:
    """Yields a runner of the product's workspace, in which `ROW_STAGES` are up to date."""
    check_place(root)
    bring_sources(root, resolved(root, variation))
    with workspace_for(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace == root:
            refresh_build_file(root)
        refresh_code_lock(workspace)
        refresh_machine(workspace)
        runner = open_runner(workspace, root=root, lock=lock)
        if workspace != root and Paths(workspace).dvc_lock.exists():
            runner.checkout()
        for stage in ROW_STAGES:
            result = runner.run(stage, say)
            say(f"{stage}  {result.state}  {result.headline}")
        if workspace != root:
            keep_results(root, workspace)
        yield runner


def make_folder(folder: Path, workspace: Path) -> None:
    """Makes the folder in which the model's stages run, in place of that of an earlier adoption.

    It has the settings of `workspace`, and links to its code and to the results of `ROW_STAGES`.
    """
    with atomic_folder(folder) as temporary:
        for name in _COPIED:
            shutil.copyfile(workspace / name, temporary / name)
        Paths(temporary).artifacts.mkdir()
        for name in (*_LINKED, *(f"artifacts/{stage}" for stage in ROW_STAGES)):
            if (source := workspace / name).exists():
                (temporary / name).symlink_to(source.resolve(), target_is_directory=True)


def run_in(
    folder: Path, module: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> None:
    """Runs a module as a process in a folder; it ends with this one.

    Raises:
        ProcessFailedError: it failed, after it has printed why.
    """
    command = [sys.executable, "-m", module, *arguments]
    with supervised(command, env=environment, cwd=folder) as process:
        code = process.wait()
    if code:
        raise ProcessFailedError(
            f"{module.rpartition('.')[2]} ended with exit code {code}",
            expected="0",
            next_step="see its own message above; nothing was released",
        )


def _show(folder: Path) -> None:
    """Prints what was chosen and its figures on test."""
    verdict, scorecard = Verdict.read(Paths(folder)), Scorecard.read(Paths(folder))
    released = scorecard.entry(verdict.released)
    test = released.quality.test.figures if released.quality.test else {}
    told = ", ".join(f"{name} {value:.3f}" for name, value in test.items())
    say(f"\n{verdict.released}: {released.size_bytes} bytes; on test {told}\n{verdict.reason}")
