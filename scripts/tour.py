"""Keep the line numbers in docs/guide/tour.md true: each link to code is moved to where its symbol is.

    python -m scripts.tour            # `make format` does it; a test fails where a line is wrong

A link is written [`symbol`](../../path.py#L12). In Python the symbol is a function, class, method
(`Class.method`), field or constant, and is found in the syntax tree; text that cannot be a name is
searched for. In other files, too: `section.key` finds `key` below `section`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.files import write_text
from pipeline.core.output import forgive_output

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guide" / "tour.md"
_LINK = re.compile(r"\[`([^`]+)`\]\((\.\./\.\./[^)#]+)#L\d+\)")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def main() -> None:
    """Writes the page; raises LookupError where a symbol is no longer in its file."""
    write_text(PAGE, with_current_lines(PAGE.read_text(encoding="utf-8")))


def with_current_lines(text: str) -> str:
    """`text` with the number of each link's line replaced by that of its symbol."""

    def current(link: re.Match[str]) -> str:
        symbol, target = link.groups()
        return f"[`{symbol}`]({target}#L{line_of(symbol, (PAGE.parent / target).resolve())})"

    return _LINK.sub(current, text)


def line_of(symbol: str, path: Path) -> int:
    """The number of the line in `path` where `symbol` is defined, or first written."""
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    if path.suffix == ".py" and _NAME.fullmatch(symbol):
        lines = _definitions(ast.parse(source))
        found = next((line for name, line in lines if name == symbol), None)
    else:
        found = _search(symbol, source.splitlines())
    if found is None:
        raise LookupError(f"{symbol!r} is not in {path.relative_to(ROOT)}: correct {PAGE.name}")
    return found


def _definitions(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Dotted names that a module defines, each with its line."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{prefix}{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name):
                yield prefix + target.id, node.lineno


def _search(text: str, lines: list[str]) -> int | None:
    """The first line with `text`; where it is a dotted name, that of its last part below the others."""
    if (found := next((n for n, line in enumerate(lines, 1) if text in line), None)) is not None:
        return found
    number = 0
    for key in text.split("."):
        places = range(number, len(lines))
        below = (i for i in places if lines[i].lstrip(" -").startswith(f"{key}:"))
        if (found := next(below, None)) is None:
            return None
        number = found + 1
    return number


if __name__ == "__main__":
    forgive_output()
    main()
