"""Columns with labels of several people, with 0 and 1 for each label, or with other labels are told of."""

from collections.abc import Sequence

from pipeline.data.columns import describe
from pipeline.data.label_columns import notes_on_columns


def notes(header: Sequence[str], rows: Sequence[Sequence[str]], label: str | None = "label") -> str:
    cells = [(n, dict(zip(header, row, strict=True))) for n, row in enumerate(rows, start=2)]
    columns = {column.name: column for column in describe(header, cells)}
    chosen = columns[label] if label else None
    found = notes_on_columns([*columns.values()], cells, text=columns["text"], label=chosen)
    return "\n".join(found)


def test_one_row_an_annotator_leads_to_annotations() -> None:
    people = ("ann", "bob", "cho")
    rows = [(f"Text number {n}", who, "good") for n in range(9) for who in people]
    for name in ("annotator", "worker_id", "WorkerId", "라벨러"):
        told = notes(("text", name, "label"), rows)
        assert f"3.0 times, once for each {name}" in told
        assert "annotations/" in told
    assert "no use for it" in notes(("text", "rater", "label"), rows[::3])


def test_a_user_is_an_annotator_only_where_texts_are_there_several_times() -> None:
    rows = [(f"Text number {n}", who, "good") for n in range(9) for who in ("ann", "bob")]
    assert "2.0 times, once for each user" in notes(("text", "user", "label"), rows)
    assert notes(("text", "user", "label"), rows[::2]) == ""


def test_one_column_an_annotator_is_told_with_what_would_be_lost() -> None:
    rows = [(f"Text number {n}", "good" if n % 2 else "bad", "good") for n in range(10)]
    rows[1] = ("Text", "good", "bad")
    told = notes(("text", "ann1", "ann2"), rows, label="ann1")
    assert "ann2: values of ann1, and another one in 6 of 10 rows; only ann1 is read" in told
    same = [(text, label, label) for text, label, _ in rows]
    assert notes(("text", "label", "sentiment"), same) == ""


def test_a_column_of_0_and_1_for_each_label_is_told() -> None:
    rows = [(f"Text number {n}", str(n % 2), str(1 - n % 2)) for n in range(10)]
    assert "bad, good hold 0 and 1" in notes(("text", "bad", "good"), rows, label="bad")


def test_another_column_named_like_labels_is_told() -> None:
    rows = [(f"Text number {n}", "good" if n % 2 else "bad", "xyz"[n % 3]) for n in range(30)]
    assert "--label category" in notes(("text", "label", "category"), rows)
    assert notes(("text", "label", "shop"), rows) == ""
    assert notes(("text", "label", "shop"), rows, label=None) == ""
