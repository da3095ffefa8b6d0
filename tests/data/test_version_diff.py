"""The difference of two versions equals that of a plain loop, row by row."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.errors import DataError
from pipeline.data.version_diff import COMPARED, VersionDiff, difference
from pipeline.data.versions import SCHEMA

Row = dict[str, Any]


def row(identifier: str, label: str | None = "good", split: str = "train", **votes: str) -> Row:
    given = [{"annotator": name, "label": votes[name]} for name in sorted(votes)]
    return {"id": identifier, "source": "mail", "label": label, "split": split, "votes": given}


def table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema([SCHEMA.field(n) for n in COMPARED]))


def diff(before: Sequence[Row], after: Sequence[Row]) -> VersionDiff:
    return difference(table(before), table(after))


def by_loop(before: Sequence[Row], after: Sequence[Row]) -> dict[str, list[Row]]:
    """What `difference` should find, found slowly."""
    old, new = ({r["id"]: r for r in rows} for rows in (before, after))
    both = [(old[r["id"]], r) for r in after if r["id"] in old]
    facts = ("id", "source", "label", "split")

    def voters(one: Row, other: Row) -> list[str]:
        said = [{vote["annotator"]: vote["label"] for vote in r["votes"]} for r in (one, other)]
        names = sorted({*said[0], *said[1]})
        return [name for name in names if said[0].get(name) != said[1].get(name)]

    return {
        "added": [{f: r[f] for f in facts} for r in after if r["id"] not in old],
        "removed": [{f: r[f] for f in facts} for r in before if r["id"] not in new],
        "relabelled": [
            {
                "id": b["id"],
                "before": a["label"],
                "after": b["label"],
                "by": "annotators" if voters(a, b) else "source",
                "who": voters(a, b) or [b["source"]],
            }
            for a, b in both
            if a["label"] != b["label"]
        ],
        "moved": [
            {"id": b["id"], "before": a["split"], "after": b["split"]}
            for a, b in both
            if a["split"] != b["split"]
        ],
    }


def found(difference: VersionDiff) -> dict[str, list[Row]]:
    return {kind: getattr(difference, kind).to_pylist() for kind in difference.counts}


@pytest.mark.parametrize("seed", range(40))
def test_it_equals_a_loop_over_the_rows(seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels, people = ["good", "bad", "so so", None], ["ann", "bo", "민수"]

    def one_of(values: Sequence[Any]) -> Any:
        return values[int(draw.integers(len(values)))]

    def some() -> list[Row]:
        numbers = draw.permutation(60)[: draw.integers(0, 50)]
        return [
            row(
                f"{number:04x}",
                one_of(labels),
                one_of(["train", "validation", "test"]),
                **{person: one_of(labels[:3]) for person in people if draw.random() < 0.3},
            )
            | {"source": one_of(["mail", "web"])}
            for number in numbers
        ]

    before, after = some(), some()
    assert found(diff(before, after)) == by_loop(before, after)


def test_tables_in_many_chunks_and_with_rows_in_another_order_are_the_same() -> None:
    rows = [row(f"{number}", "good" if number % 3 else "bad", ann="good") for number in range(50)]
    parts = pa.concat_tables([table(rows[start : start + 7]) for start in range(0, 50, 7)])
    assert set(difference(parts, table(rows[::-1])).counts.values()) == {0}


def test_a_label_that_changed_with_a_vote_is_by_the_annotators_who_gave_take_back_or_change_one() -> (
    None
):
    before = [row("1", "good", ann="good", bo="good", cy="good"), row("2", "good", ann="good")]
    after = [row("1", "bad", ann="good", bo="bad", dan="bad"), row("2", "bad")]
    told = diff(before, after).relabelled.to_pylist()
    assert [(r["by"], r["who"]) for r in told] == [
        ("annotators", ["bo", "cy", "dan"]),
        ("annotators", ["ann"]),
    ]


def test_a_label_that_changed_while_all_votes_stayed_is_by_the_source() -> None:
    told = diff([row("1", "good", ann="bad")], [row("1", "bad", ann="bad")]).relabelled
    assert told.select(["by", "who"]).to_pylist() == [{"by": "source", "who": ["mail"]}]


def test_a_row_that_gets_its_first_label_is_relabelled() -> None:
    told = diff([row("1", None)], [row("1", "bad", ann="bad")]).relabelled.to_pylist()
    assert told == [{"id": "1", "before": None, "after": "bad", "by": "annotators", "who": ["ann"]}]


def test_an_id_that_is_there_twice_is_refused() -> None:
    with pytest.raises(DataError, match="2 rows with 1 different ids"):
        diff([row("1")], [row("1"), row("1")])
