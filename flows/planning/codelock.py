"""code.lock.json: per stage, a hash of the code it runs, so that DVC sees code as a parameter.

DVC does not follow imports, and a folder among `deps` makes a comment cost a training run. Here a
stage's hash covers the syntax trees (no comments, no docstrings, no positions) of every project
module that it reaches by imports, also those inside functions, the templates of those modules, and
the versions of the libraries below where a reached module imports them.

The imports are read here and not by grimp: that looks a package up on the import path, and the code
of a worktree, whose hashes these are, is not on it.

Left out are the modules of `LEFT_OUT`, because they cannot change a result: the schema of
the parameters (`core.params`, `core.product` and the modules of its sections) accepts or
refuses, and its defaults stand in build.yaml before a stage reads them; `core.errors` and `core.disk` hold messages, and `core.progress` what is shown.
None of them holds a constant that other code reads: a test sees to it. `core.stage` is not among
them, for it seeds.

    python -m flows.planning.codelock            # refresh
    python -m flows.planning.codelock --check    # exit 1 when stale
"""

import ast
import hashlib
import importlib.metadata
import sys
from functools import cache, cached_property, partial
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from flows.planning.dag import load_dag
from pipeline.core.errors import ArtifactError, PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.output import forgive_output
from pipeline.core.paths import Paths

PROJECT = "pipeline"
_SCHEMA = ("address_section", "params", "product", "sections", "training_sections")
_MESSAGES = ("disk", "errors", "failure", "progress")
LEFT_OUT = frozenset(f"{PROJECT}.core.{name}" for name in (*_SCHEMA, *_MESSAGES))
_SAME_NAME = ("torch", "transformers", "tokenizers", "onnxruntime", "onnx", "scipy", "numpy")
LIBRARIES = {name: name for name in _SAME_NAME} | {"sklearn": "scikit-learn"}
"""Import name → distribution: libraries whose version can change a figure."""

_LEFT_OUT_FIELDS = {"kind", "type_comment", "ctx"}


class CodeModule:
    """One project module: its code, and what it imports."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self._package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        try:
            self._tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise ArtifactError(
                f"{path.name}, line {error.lineno}: {error.msg}",
                expected="Python that parses",
                next_step="correct the line",
            ) from error

    @cached_property
    def digest(self) -> str:
        """Hash of the code without comments, docstrings and positions, and of its templates.

        A template belongs to the module of its name: `data_card.md.j2` to `data_card.py` beside it.
        """
        found = hashlib.sha256(repr(_form(self._tree)).encode())
        for template in sorted(self.path.parent.glob(f"{self.path.stem}.*.j2")):
            found.update(template.read_bytes())
        return found.hexdigest()

    @cached_property
    def imported(self) -> frozenset[str]:
        """Dotted names that are, or may be, modules, and the packages around them."""
        names: list[str] = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = resolve_name("." * node.level + (node.module or ""), self._package)
                names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        parts = [name.split(".") for name in names]
        return frozenset(".".join(p[:end]) for p in parts for end in range(1, len(p) + 1))


class CodeLock:
    """The code of one workspace; each module is parsed once."""

    def __init__(self, root: Path) -> None:
        self._module, self._version = cache(partial(_load, root)), cache(_version)

    def stage_hash(self, stage: str) -> str:
        """Hash of the stage's code: of every module it reaches, and of library versions.

        Raises:
            ArtifactError: there is no such stage file, or a reached module does not parse.
        """
        modules = self.reached(f"{PROJECT}.{stage}")
        parts = [f"{module.name} {module.digest}" for module in modules]
        imported = frozenset[str]().union(*(module.imported for module in modules))
        libraries = sorted(LIBRARIES[name] for name in imported.intersection(LIBRARIES))
        parts += [f"{name}=={self._version(name)}" for name in libraries]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def reached(self, name: str) -> list[CodeModule]:
        """Project modules that `name` reaches, itself included, sorted by name."""
        if self._module(name) is None:
            raise ArtifactError(
                f"{name.replace('.', '/')}.py is missing",
                expected="a file in pipeline/ for every stage of dvc.yaml",
                next_step="restore it with git, or take the stage out of dvc.yaml",
            )
        found: dict[str, CodeModule] = {}
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current in found or current in LEFT_OUT:
                continue
            if (module := self._module(current)) is not None:
                found[current] = module
                waiting += module.imported
        return [found[name] for name in sorted(found)]


def compute_code_lock(root: Path) -> dict[str, str]:
    """Stage → hash, for every stage of dvc.yaml."""
    lock = CodeLock(root)
    return {name: lock.stage_hash(name) for name in sorted(load_dag(Paths(root).dag).names)}


def refresh_code_lock(root: Path) -> list[str]:
    """Brings code.lock.json up to date; returns the stages whose code has changed."""
    path, now = Paths(root).code_lock, compute_code_lock(root)
    before: dict[str, str] = read_json(path) if path.exists() else {}
    if before != now:
        write_json(path, now)
    return [name for name in now if before.get(name) != now[name]]


def check_code_lock(root: Path) -> None:
    """Raises ArtifactError when code.lock.json is not that of the code in the folder."""
    path, now = Paths(root).code_lock, compute_code_lock(root)
    before: dict[str, str] = read_json(path) if path.exists() else {}
    stale = sorted(name for name in {*now, *before} if before.get(name) != now.get(name))
    if stale:
        raise ArtifactError(
            f"code.lock.json is stale for {', '.join(stale)}",
            expected="the hashes of the code that is there",
            next_step="run `python -m flows.planning.codelock` and commit code.lock.json",
        )


def _load(root: Path, name: str) -> CodeModule | None:
    """A module of the project; None for other names."""
    path = root.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if name.split(".", maxsplit=1)[0] == PROJECT and file.is_file():
            return CodeModule(name, file)
    return None


def _form(node: Any) -> Any:
    """A syntax tree as nested tuples, without docstrings and other bare strings.

    Empty fields are dropped: newer Pythons add some (`type_params`), and the hash should not depend
    on which Python computed it, as `ast.dump` does.
    """
    if isinstance(node, ast.AST):
        fields = ((name, _form(value)) for name, value in ast.iter_fields(node))
        kept = (item for item in fields if item[1] and item[0] not in _LEFT_OUT_FIELDS)
        return (type(node).__name__, *kept)
    if isinstance(node, list):
        return [_form(item) for item in node if not _is_bare_string(item)]
    return "" if node is None else repr(node)


def _is_bare_string(node: Any) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _version(distribution: str) -> str:
    """The installed version, without local suffix (`+cpu`)."""
    try:
        return importlib.metadata.version(distribution).partition("+")[0]
    except importlib.metadata.PackageNotFoundError as error:
        raise ArtifactError(
            f"{distribution} is not installed",
            expected="every package that the pipeline needs",
            next_step="run `make pipeline`, which installs them, in place of this command",
        ) from error


def main() -> None:
    """Refreshes the code lock of the current folder, or checks it where `--check` is given."""
    try:
        if sys.argv[1:] == ["--check"]:
            check_code_lock(Path.cwd())
        else:
            changed = ", ".join(refresh_code_lock(Path.cwd()))
            print(f"code changed in: {changed}" if changed else "code.lock.json is fresh")
    except PipelineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    forgive_output()
    main()
