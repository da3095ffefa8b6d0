"""Says what further columns of a file have to do with its labels: several people, one column a label, others."""

from collections.abc import Iterator, Sequence

from pipeline.data.columns import Column, names_columns, names_people, words_of_name
from pipeline.data.layout import FileRow

_PERHAPS_PEOPLE = {"user", "users", "userid", "username", "person", "expert", "reviewer"}
"""Who wrote a text, or who labelled it: the latter where texts are there several times."""
_ZERO_OR_ONE = {"0", "1", "0.0", "1.0", "true", "false"}
_REPEATED = 0.75
_SHOWN = 6
_MERGE = (
    "write each text once, with the label that most gave, or put the labels of each person into annotations/"
    " (docs/guide/your-own-data.md#labels)"
)


def notes_on_columns(
    columns: Sequence[Column], rows: Sequence[FileRow], *, text: Column, label: Column | None
) -> Iterator[str]:
    """Says what further columns tell about the labels, a sentence each.

    Args:
        rows: with all columns; the first ones of a long file.
        label: None where the file has no labels.
    """
    others = [column for column in columns if column not in (text, label)]
    repeated = text.variety <= _REPEATED
    people = (c for c in others if c.values and _may_be_people(c.name, repeated=repeated))
    if person := next(people, None):
        yield _of_people(person, text)
    if label is None or not label.values:
        return
    alike = [column for column in others if _has_labels_of(column, label)]
    if _is_zero_or_one(label) and alike:
        yield (
            f"{_some([label, *alike])} hold 0 and 1: if each stands for a label, make one column of them;"
            f" only {label.name} is read"
        )
    elif alike:
        names = [label.name, *(column.name for column in alike)]
        apart = sum(len({row.get(name, "") for name in names}) > 1 for _, row in rows)
        if apart:
            yield (
                f"{_some(alike)}: values of {label.name}, and another one in {apart:,} of {len(rows):,} rows;"
                f" only {label.name} is read: if several people gave them, {_MERGE}"
            )
    if more := [c for c in others if c not in alike and c.may_be_label and names_columns([c.name])]:
        yield f"could be labels, too: {_some(more)} (--label {more[0].name})"


def _of_people(person: Column, text: Column) -> str:
    if text.variety > _REPEATED:
        return f"{person.name} says who gave a label: a source has no use for it"
    each = text.filled / max(len(text.values), 1)
    return (
        f"each text is there {each:.1f} times, once for each {person.name}, as it seems: {_MERGE}"
    )


def _may_be_people(name: str, *, repeated: bool) -> bool:
    return names_people(name) or (repeated and not _PERHAPS_PEOPLE.isdisjoint(words_of_name(name)))


def _has_labels_of(column: Column, label: Column) -> bool:
    """Whether the values are labels of the other column, at least two of them; 0 and 1 as 0 and 1."""
    if _is_zero_or_one(label):
        return _is_zero_or_one(column)
    own, known = _labels(column), _labels(label)
    return len(own) > 1 and own <= known and not column.may_be_text and not label.is_numeric


def _is_zero_or_one(column: Column) -> bool:
    return bool(column.values) and _labels(column) <= _ZERO_OR_ONE


def _labels(column: Column) -> set[str]:
    return {value.strip().casefold() for value in column.values}


def _some(columns: Sequence[Column]) -> str:
    names = [column.name for column in columns]
    return ", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)
