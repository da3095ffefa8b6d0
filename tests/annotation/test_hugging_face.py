"""The Parquet that is written is a data set of `datasets`, and its own files are read."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from pipeline.annotation.foreign_votes import AnsweredRow, ForeignVote
from pipeline.annotation.hugging_face import read_hugging_face, write_hugging_face
from pipeline.annotation.published_votes import PublishedVote
from pipeline.annotation.row_file import LabellingRow
from pipeline.core.errors import DataError
from tests.support.voted_rows import QUESTIONS

ROW = LabellingRow(id="0123456789abcdef", source="s", text="좋아요", second=None, label=None)


def read(path: Path, kind: str = "classification") -> list[ForeignVote]:
    return [*read_hugging_face(path, QUESTIONS[kind])]


@pytest.mark.parametrize(
    ("kind", "answer", "feature", "cell"),
    [
        ("classification", {"labels": ("C#",)}, ClassLabel, 1),
        ("multi_label", {"labels": ("C#", "[x]")}, List, [1, 4]),
        ("multi_label", {}, List, []),
        ("regression", {"number": 4.5}, Value, 4.5),
        ("classification", {"skipped": True}, ClassLabel, None),
    ],
    ids=["one label", "several labels", "none of the labels", "a number", "a skip"],
)
def test_datasets_reads_labels_as_its_own_features(
    tmp_path: Path, kind: str, answer: dict[str, Any], feature: type, cell: object
) -> None:
    vote = PublishedVote(id=ROW.id, annotator="p1", **answer)
    path = tmp_path / "votes.parquet"
    write_hugging_face(path, [AnsweredRow(row=ROW, votes=(vote,))], QUESTIONS[kind])
    kept = Features.from_arrow_schema(pq.read_schema(path))
    found = Dataset(pa.Table.from_batches(pq.ParquetFile(path).iter_batches()), fingerprint="f")
    assert isinstance(found.features["label"], feature)
    assert found.features == kept
    assert found[0]["label"] == cell
    assert found[0]["text"] == ROW.text


def test_a_file_that_datasets_wrote_is_read_with_the_names_of_its_classes(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["매우 좋음", "C#"])})
    rows = {"text": ["a", "b", "c"], "label": [1, 0, -1]}
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    votes = read(tmp_path / "train.parquet")
    assert [vote.values for vote in votes] == [("C#",), ("매우 좋음",), None]
    assert [vote.texts[0] for vote in votes] == ["a", "b", "c"]


def test_labels_as_strings_and_lists_of_them_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "label": ["C#", None]}), path)
    assert [vote.values for vote in read(path)] == [("C#",), None]
    pq.write_table(pa.table({"text": ["a", "b"], "label": [["C#", "[x]"], []]}), path)
    assert [vote.values for vote in read(path, "multi_label")] == [("C#", "[x]"), ()]


def test_a_file_without_a_label_column_is_refused_with_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"], "labels": ["C#"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="no column 'label'") as caught:
        read(tmp_path / "other.parquet")
    assert "text, labels" in caught.value.expected
