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

Every key of `params.yaml`. The schema has no defaults: every key must be there, so a value you can change is in
that file and nowhere else. A mistyped name is refused, with the nearest valid one.

Some limits are not parameters, because they belong to the machinery and not to a product. They are constants beside the
code that uses them: how much worse than the champion a retrained model may be and from how many rows that is judged
(`MAX_LOSS`, `MIN_ROWS` in `pipeline/monitoring/decide.py`), how many labels a batch may flip (`MAX_FLIP_SHARE` in
`pipeline/runtime/batch_invariance.py`), how much int8 may change the language model (`pipeline/quantize.py`), the
25 ms that HTTP may add to the latency limit when a bundle is blessed (`flows/release.py`), and what counts as a short text, a
long one or a negation in the slices (`pipeline/metrics/slices.py`; the negations are English, so that slice is empty in
other languages).

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
