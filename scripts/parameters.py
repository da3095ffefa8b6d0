"""Write docs/guide/parameters.md from the schema: every parameter, its type and its meaning.

    python -m scripts.parameters            # run after a change of the schema

A test fails while the page is not what the schema says.
"""

from pathlib import Path

from pydantic.fields import FieldInfo

from flows.planning.schema import key_of, opening, parameters, section_in
from pipeline.core.files import write_text
from pipeline.core.params import Params

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guide" / "parameters.md"
HEAD = """# Parameters

Every key of `params.yaml`. The schema has no defaults: what is not in `params.yaml` is not decided
anywhere. A mistyped name is refused, with the nearest valid one.

Change a value in the file, or for one run only: `make pipeline SET="finetune.epochs=1"`.
`.venv/bin/modelyard explain finetune.epochs` also says where a parameter is read and what reruns.

This page is made from `pipeline/core/product.py` and the `sections` beside it by
`python -m scripts.parameters`.
"""


def main() -> None:
    """Write the page."""
    write_text(PAGE, page())


def page() -> str:
    """The whole page as Markdown."""
    return HEAD + "".join(
        _section(key_of(name, field), field) for name, field in Params.model_fields.items()
    )


def _section(name: str, field: FieldInfo) -> str:
    model = section_in(field.annotation)
    assert model is not None, name  # noqa: S101 - every field of Params is a section
    rows = "".join(
        f"| `{p.path}` | {p.kind} | {_cell(p.meaning)} |\n" for p in parameters(model, name)
    )
    return (
        f"\n## {name}\n\n{opening(model, name)}\n\n| key | type | meaning |\n|---|---|---|\n{rows}"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
