"""Finds loops and branches of a module that depend on the text: a graph would keep one text's path.

The exporter records what one example did. A loop that ran five times for it then runs five times for
every text, without a word. `torch.export` runs the module's own code on tensors that have no values, so
it stops at the very line where Python asks for one.
"""

import ast
import inspect
import logging
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from pipeline.core.errors import ArtifactError
from pipeline.models.adopted import AdoptedClassifier, place_in

_LENGTH = 7
_WAY_OUT = (
    "compute it for all tokens at once and choose with the mask: a loop over tokens becomes a sum, "
    "`cumsum`, a convolution or an LSTM; a branch becomes `torch.where(condition, a, b)`; leave "
    "`pack_padded_sequence`, `.item()`, `.tolist()` and checks of values out"
)


def require_static(model: AdoptedClassifier, file: Path, *, max_length: int) -> None:
    """Refuses a module whose path through its code depends on the values of its input.

    What else keeps `torch.export` from it is no reason: the graph is written by tracing, and compared.

    Args:
        file: the team's Python file.

    Raises:
        ArtifactError: naming the line, and what to write there.
    """
    batch = torch.export.Dim("batch", max=1024)
    length = torch.export.Dim("length", max=max(max_length, _LENGTH + 1))
    ids = torch.arange(2 * _LENGTH).reshape(2, _LENGTH) % model.config.vocab_size
    mask = torch.tensor([[1] * _LENGTH, [1] * (_LENGTH - 2) + [0, 0]])
    given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids % 2}
    given = {name: given[name] for name in ("input_ids", *model.named)}
    try:
        with _silent(), torch.no_grad():
            torch.export.export(
                model.module,
                (given.pop("input_ids"),),
                given,
                dynamic_shapes={n: {0: batch, 1: length} for n in ("input_ids", *given)},
                strict=False,
            )
    except Exception as error:  # torch raises what it likes here
        if (stopped := _asked_for_a_value(error)) is not None:
            raise ArtifactError(
                f"{place_in(stopped, file)}: {_line(stopped, file)}: a loop or branch that depends on the "
                "values in a text",
                expected="code that does the same for every text: a graph has no other path",
                next_step=_WAY_OUT,
            ) from error


def loops_in(found: type[torch.nn.Module], file: Path) -> list[str]:
    """The loops and branches in a class's methods, as `file:line: code`."""
    lines, start = inspect.getsourcelines(found)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    methods = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name != "__init__"
    ]
    places = sorted(
        {
            node.lineno
            for method in methods
            for node in ast.walk(method)
            if isinstance(node, ast.For | ast.While | ast.If)
        }
    )
    return [f"{file.name}:{start + at - 1}: {lines[at - 1].strip()}" for at in places]


def _asked_for_a_value(error: BaseException) -> BaseException | None:
    """The error among its causes that says that Python wanted a value; None where none does."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, GuardOnDataDependentSymNode) or "data-dependent" in str(seen)[:300]:
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _line(error: BaseException, file: Path) -> str:
    """The code of the line at which an error left a file."""
    number = place_in(error, file).rpartition(":")[2]
    lines = file.read_text(encoding="utf-8").splitlines()
    return f"`{lines[int(number) - 1].strip()}`" if number.isdigit() else "in what it calls"


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps torch from logging a graph for what is an answer here."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
