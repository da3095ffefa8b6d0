"""The lines of `modelyard new` on a file: its columns, then what was found in texts and labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.data.columns import Chosen, Column
from pipeline.data.label_forms import LabelForm
from pipeline.data.reading import Reading
from pipeline.data.trial import Trial
from pipeline.problem.problems import problem_named

_EXAMPLE = 48
_COLUMNS = 12
_LABELS = 12
_MANY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Facts about the texts of a file.

    Attributes:
        language: what the scripts say of it.
        lengths: middle and 95th percentile of the texts' characters.
        personal: kind of personal data → rows that hold some.
    """

    language: str
    lengths: tuple[int, int]
    reading: Reading | None
    personal: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was found in the texts and labels of a file.

    Attributes:
        unlabelled: rows without a label.
        others: further columns of texts.
    """

    text: Chosen
    second: str | None
    label: Chosen
    form: LabelForm
    trial: Trial
    unlabelled: int
    seen: Seen
    others: Sequence[str]


def columns_shown(file: str, columns: Sequence[Column]) -> Iterator[str]:
    """The lines on the columns of a file; `file` is its name, and how it is written."""
    yield f"{file}, {columns[0].rows:,} rows"
    width = max(len(column.name) for column in columns[:_COLUMNS])
    for column in columns[:_COLUMNS]:
        empty = f", {column.rows - column.filled:,} empty" if column.filled < column.rows else ""
        shown = " | ".join(_short(value) for value in column.examples[:2])
        yield f"  {column.name:<{width}}  {len(column.values):,} different{empty}: {shown}"
    if len(columns) > _COLUMNS:
        yield f"  and {len(columns) - _COLUMNS:,} more columns"


def report(found: Found) -> Iterator[str]:
    """The lines of the report."""
    yield _line("text", f"{found.text.column.name} ({found.text.why})")
    if found.second:
        yield _line("second text", found.second)
    yield _line("label", f"{found.label.column.name} ({found.label.why})")
    yield _line("problem", f"{found.form.problem}: {_answer(found.form)}")
    yield from _labels(found)
    yield from _rows(found)
    yield from _texts(found.seen)
    if found.others and not found.second:
        names = ", ".join(found.others)
        yield _line("also texts", f"{names}: `--second-text COLUMN` makes pairs of the two")


def unlabelled_report(text: Chosen, form: LabelForm, *, rows: int, seen: Seen) -> Iterator[str]:
    """The lines of the report on texts that nobody has labelled yet."""
    yield _line("text", f"{text.column.name} ({text.why}), {rows:,} rows")
    yield _line("labels", f"{', '.join(form.labels)}: no row has one yet")
    yield _line("problem", f"{form.problem}: {_answer(form)}")
    yield from _texts(seen)


def _texts(seen: Seen) -> Iterator[str]:
    yield _length(seen)
    yield _line("language", f"{seen.language}{_unknown(seen.reading)}")
    kinds = ", ".join(f"{kind} in {count:,}" for kind, count in seen.personal.items() if count)
    yield _line(
        "personal", f"{kinds or 'nothing'} as far as patterns see it (names are not looked for)"
    )


def _length(seen: Seen) -> str:
    middle, most = seen.lengths
    reading, cut = seen.reading, ""
    if reading is not None and reading.cut and not reading.is_foreign:
        cut = f"; {reading.cut:.1%} are longer than a model reads at once"
        if reading.cut > _MANY:
            cut += " (`prepare.window_stride: 64` in the recipe reads them whole, and takes longer)"
    return _line("length", f"{middle:,} characters, 95 % up to {most:,}{cut}")


def _unknown(reading: Reading | None) -> str:
    if reading is None:
        return "; the checkpoint is on a hub and was not asked"
    if reading.is_foreign:
        return (
            f"; the checkpoint knows {reading.known:.0%} of it as more than single letters: if you have one of"
            " this language, name it as `prepare.checkpoint` in the recipe and take teacher_tokenizer out"
        )
    return f"; the checkpoint knows {1 - reading.unknown:.1%} of it"


def _labels(found: Found) -> Iterator[str]:
    if not problem_named(found.form.problem).has_probabilities:
        numbers = sorted(float(value) for value in found.label.column.values)
        yield _line("numbers", f"{numbers[0]:g} to {numbers[-1]:g}")
        return
    counts = sorted(found.form.counts.items(), key=lambda item: -item[1])
    shown = [
        f"{name} {count:,} ({count / max(found.label.column.filled, 1):.0%})"
        for name, count in counts
    ]
    more = f" and {len(shown) - _LABELS} more" if len(shown) > _LABELS else ""
    yield _line("labels", ", ".join(shown[:_LABELS]) + more)


def _rows(found: Found) -> Iterator[str]:
    reasons = ", ".join(f"{reason}: {count:,}" for reason, count in found.trial.reasons.items())
    without = f"; {found.unlabelled:,} have no label" if found.unlabelled else ""
    yield _line("taken out", f"{reasons or 'nothing'}{without}")


def _answer(form: LabelForm) -> str:
    words = problem_named(form.problem).words.answer_of_a_text
    return f"{words}, joined by `{form.separator}`" if form.separator else words


def _line(name: str, text: str) -> str:
    return f"{name:<12}{text}"


def _short(value: str) -> str:
    line = " ".join(value.split())
    return line if len(line) <= _EXAMPLE else f"{line[: _EXAMPLE - 1]}…"
