"""Writes docs/guide/parameters.md: every parameter of the schema, and the constants beside it.

    python -m scripts.parameters    # run after a change of the schema or of a listed constant

A test fails while the page is not what the code says.
"""

import ast
from pathlib import Path

from pydantic.fields import FieldInfo

from flows.planning.schema import Parameter, key_of, opening, parameters
from pipeline.core.errors import ParameterError
from pipeline.core.files import write_text
from pipeline.core.output import forgive_output
from pipeline.core.params import Params, section_in

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guide" / "parameters.md"
HEAD = """# Parameters

Every key of a product file (`product`, and `collect.sources`, which stands there as `sources`) and of
`params.yaml` (all else): its type and what it means. A mistyped name is refused, with the nearest valid one. The
recipe has no defaults: all keys of `params.yaml` must be there. Keys of a product file that may be left out say
what holds then.

Change a value of the recipe under `recipe` of your product file, or for one run only: `make pipeline
SET="finetune.epochs=1"`. A build writes all values, defaults included, to `build.yaml`, which the stages read.
`.venv/bin/modelyard explain finetune.epochs` also says where a parameter stands, where it is read and what reruns.

Constants of the code that can change a result or a decision, and that are no parameters, are listed
[at the end](#constants).

This page is made by `python -m scripts.parameters` from `pipeline/core/product.py`, `sections.py` and
`training_sections.py` in the same folder, and the constants named in `scripts/parameters.py`.
"""
CONSTANTS = (
    ("pipeline/data/gram_sets.py", "GRAM_CHARACTERS, DENSE_GRAM_CHARACTERS", "characters of the pieces by which near copies are found, and of those with Hangul, Han letters or kana"),
    ("pipeline/data/row_checks.py", "_MAX_HYPOTHESES", "pairs with one first text that are of one cluster; with more, the first text counts as a category"),
    ("pipeline/data/annotation_sheet.py", "_START", "rows that people label before the first model of a product without labels, at least"),
    ("pipeline/data/agreement.py", "_CONFIDENCE", "level of the interval of the annotators' agreement"),
    ("pipeline/data/agreement.py", "_RESAMPLES", "bootstrap draws of that interval"),
    ("pipeline/data/disputed_votes.py", "TOLERANCE", "part of the standard deviation of people's numbers beyond which two of them on one row are a dispute"),
    ("pipeline/metrics/chance_agreement.py", "CONFIDENCE, RESAMPLES", "level and bootstrap draws of the intervals of alpha, AC1 and the kappas in agreement.json"),
    ("pipeline/metrics/pairs_of_people.py", "FEWEST_ROWS", "common rows without which a pair of people is not told"),
    ("pipeline/metrics/dawid_skene.py", "PRIOR_VOTES, PRIOR_RIGHT", "votes that each person is taken to have given beforehand where each label is right, and the share of them that is right"),
    ("pipeline/metrics/annotator_reliability.py", "SPAM_CONFIDENCE, NEAR_CHANCE", "whoever is named as no better than chance: this interval of the reliability holds 0, and ends below the second"),
    ("pipeline/metrics/agreement_details.py", "MOST_SHOWN, MOST_PAIRS", "confusions and uncertain rows in agreement.json, and pairs of people, at most"),
    ("pipeline/text/containment.py", "LEAK_WORDS", "words from which on a text inside another text counts as a leak"),
    ("pipeline/data/augmentation.py", "_REPLACED, _DROPPED", "shares of the words that are replaced and dropped in a made text"),
    ("pipeline/data/augmentation.py", "_CUT, _JOINED", "shares of the made texts that are a piece of a row, and a join of two rows"),
    ("pipeline/training/loop.py", "_GRADIENT_NORM", "norm that the gradients are clipped to"),
    ("pipeline/training/average.py", "EVERY", "steps between two updates of the moving average of the weights"),
    ("pipeline/training/objectives/masked_lm.py", "_REPLACED_BY_MASK, _REPLACED_BY_RANDOM", "shares of the hidden tokens that become the mask, and a random token"),
    ("pipeline/prune.py", "_IMPORTANCE_BATCHES", "batches on which the importance of units is measured"),
    ("pipeline/compression/surgery.py", "_HYSTERESIS", "upper threshold over the lower one: weights between the two stay as they are"),
    ("pipeline/compression/surgery.py", "_RENEWALS", "times that dynamic pruning chooses the weights anew"),
    ("pipeline/quantize.py", "_COMPARED_TEXTS", "validation texts on which `quantize.min_agreement` is measured"),
    ("pipeline/quantize.py", "_MOST_BITS_CHANGE", "largest change of the language model's bits a token that int8 may cause, as a share"),
    ("pipeline/metrics/slices.py", "_SHORT_WORDS", "words up to which a text is in the slice of short texts"),
    ("pipeline/metrics/slices.py", "_LONG_WORDS", "words from which on a text is in the slice of long texts"),
    ("pipeline/metrics/slices.py", "_NEGATION", "what puts a text into the slice with negation, in English, Korean, Japanese and Chinese; other languages have no such slice"),
    ("pipeline/metrics/slices.py", "LENGTHS", "language → the same limits in characters, where words have no blanks between them or hold a phrase each"),
    ("pipeline/acceptance/term_findings.py", "_FAR", "times as often as under all labels: from there on, at the low end of the interval, validate names a word for a group of people"),
    ("pipeline/acceptance/term_findings.py", "_FEWEST_ROWS", "rows that must hold the word for that"),
    ("pipeline/metrics/labels_needed.py", "SIZES", "numbers of labels after which the best baseline is measured, to tell what more would bring"),
    ("pipeline/metrics/labels_needed.py", "DRAWS", "draws of each of these numbers"),
    ("pipeline/metrics/labels_needed.py", "_FARTHEST", "times the labels that there are: a quality not reached by then counts as out of reach"),
    ("pipeline/acceptance/findings.py", "MOST_LEARNED", "train rows from which the search for the labels needed learns; of more, the first by id"),
    ("pipeline/metrics/noise_ceiling.py", "FEWEST_ROWS", "rows with labels of two people from which on the best quality that labels allow is told"),
    ("pipeline/acceptance/suspect_labels.py", "SHARE", "largest part of the train rows that `suspect_labels.csv` shows"),
    ("pipeline/acceptance/suspect_labels.py", "MOST_ROWS", "train rows whose labels are looked at; of more, the first by id"),
    ("pipeline/acceptance/suspect_labels.py", "_VECTOR_C", "C of the model of word vectors that helps to find wrong labels"),
    ("pipeline/models/linear.py", "_CHARACTERS", "characters of the shortest and the longest n-gram of `baseline-characters`"),
    ("pipeline/models/keyword_rule.py", "MOST_WORDS", "words of which a rule without a model is made, a label"),
    ("pipeline/runtime/batch_invariance.py", "MAX_FLIP_SHARE", "largest share of texts whose label may change when texts run in one batch; above it, the gate fails"),
    ("pipeline/release/blessing.py", "_ROUNDS", "rounds of requests to a new server before it is released"),
    ("pipeline/monitoring/decide.py", "MARGIN", "how much worse than any model of the guard a retrained model may be (docs/adr/0028)"),
    ("pipeline/monitoring/decide.py", "LIKELY", "how often a model worse by that margin passes while the loss budget is there"),
    ("pipeline/monitoring/decide.py", "SURE", "how often it passes when the budget is spent, and how often a model is wrongly called better"),
    ("flows/release.py", "_HTTP_ALLOWANCE_MS", "milliseconds added to `latency_p95_ms` when a released server is checked over HTTP"),
)  # fmt: skip
"""Constants that can change a result or a decision: file, name, meaning."""


def main() -> None:
    """Write the page."""
    write_text(PAGE, page())


def page() -> str:
    """The whole page as Markdown."""
    sections = [_section(key_of(name, field), field) for name, field in Params.model_fields.items()]
    rows = [
        f"| `{file}` | `{name}` | {_cell(_value_of(file, name))} | {_cell(meaning)} |\n"
        for file, name, meaning in CONSTANTS
    ]
    head = "\n## Constants\n\n| file | name | value | meaning |\n|---|---|---|---|\n"
    return "".join([HEAD, *sections, head, *rows])


def _section(name: str, field: FieldInfo) -> str:
    model = section_in(field.annotation)
    assert model is not None, name  # noqa: S101 - every field of Params is a section
    found = parameters(model, name)
    rows = "".join(f"| `{p.path}` | {p.kind} | {_cell(_meaning(p))} |\n" for p in found)
    head = "| key | type | meaning |\n|---|---|---|\n"
    return f"\n## {name}\n\n{opening(model, name)}\n\n{head}{rows}"


def _meaning(parameter: Parameter) -> str:
    """The meaning, with the default where one can be written down and is not told already."""
    default, told = parameter.default, "efault: " in parameter.meaning
    if default is None or told:
        return parameter.meaning
    return f"{parameter.meaning} Default: {f'`{default}`' if default else 'none'}."


def _value_of(file: str, name: str) -> str:
    """The value of a constant as its file writes it; of a pattern, a dash."""
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).strip("()") == name:
            return "–" if isinstance(node.value, ast.Call) else ast.unparse(node.value).strip("()")
    raise ParameterError(
        f"{file} has no constant {name}",
        expected="every constant that CONSTANTS in scripts/parameters.py lists",
        next_step="correct CONSTANTS: the new name, or without the line where the constant is gone",
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    forgive_output()
    main()
