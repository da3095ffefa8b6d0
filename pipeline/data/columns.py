"""Describes the columns of a file, and says which of them are the text and the label, and why."""

import difflib
import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.errors import DataError
from pipeline.data.layout import FileRow
from pipeline.data.wanted_columns import composed
from pipeline.problem.labelling import number_in

_TEXT_NAMES = (
    *("text", "sentence", "review", "comment", "content", "body", "message", "document", "description"),
    *("title", "question", "utterance", "tweet", "query", "input", "texto", "texte", "satz", "testo"),
    *("comentario", "commentaire", "kommentar", "текст", "отзыв", "комментарий", "النص", "ข้อความ", "रिव्यू"),
    *("텍스트", "본문", "내용", "문장", "리뷰", "댓글", "질문", "발화", "후기", "의견", "文本", "内容", "內容"),
    *("评论", "評論", "句子", "テキスト", "本文", "文章", "レビュー", "コメント"),
)  # fmt: skip
_LABEL_NAMES = (
    *("label", "labels", "class", "category", "sentiment", "target", "tag", "tags", "intent", "topic"),
    *("topics", "type", "rating", "stars", "score", "emotion", "polarity", "queue", "etiqueta", "klasse"),
    *("etichetta", "метка", "класс", "категория", "оценка", "тональность", "التصنيف", "ป้ายกำกับ"),
    *("라벨", "레이블", "분류", "감정", "카테고리", "평점", "감성", "标签", "標籤", "类别", "類別", "情感"),
    *("评分", "ラベル", "カテゴリ", "感情", "評価", "分類"),
)  # fmt: skip
_PEOPLE = {
    *("annotator", "annotators", "worker", "workerid", "rater", "coder", "labeler", "labeller", "judge"),
    *("주석자", "라벨러", "작업자", "평가자", "标注员", "标注者", "アノテーター"),
}  # fmt: skip
_PAIRS = {
    "premise": "hypothesis",
    "sentence1": "sentence2",
    "question1": "question2",
    "text1": "text2",
    "text_a": "text_b",
    "sentence_a": "sentence_b",
    "first": "second",
}
"""Names that columns of pairs have: the first text, and the second one."""
_OTHER_NAMES = ("id", "url", "link", "date", "time", "timestamp", "name", "user", "email", "index")
_NOTHING = {"", "nan", "null", "[]", "[null]", '[""]'}
_BLANKS = string.whitespace + "\xa0\u200b\u200e\u200f\u2060\u3000\ufeff"
"""What shows nothing."""
_MOST_LABELS = 100
_EXAMPLES = 3
_NAME, _COLUMNS = 40, 10
"""Most letters of a name, and most columns, that a message shows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file.

    Attributes:
        values: value → rows that have it, in the order of the file; without those that say nothing.
        rows: rows of the file.
        characters: mean length of the values that are there.
        words: mean number of their words.
        lines: value → line of the first row that has it.
    """

    name: str
    values: Mapping[str, int]
    rows: int
    characters: float
    words: float
    lines: Mapping[str, int]

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return sum(self.values.values())

    @property
    def variety(self) -> float:
        """Different values as a share of the rows that have one."""
        return len(self.values) / max(self.filled, 1)

    @property
    def is_numeric(self) -> bool:
        """Whether all values are finite numbers."""
        return bool(self.values) and all(map(_is_number, self.values))

    @property
    def is_listed(self) -> bool:
        """Whether the values are lists, as JSON and Parquet have them."""
        return bool(self.values) and all(v.startswith("[") and v.endswith("]") for v in self.values)

    @property
    def is_object(self) -> bool:
        """Whether the values are objects, as JSON and Parquet have them."""
        return bool(self.values) and all(
            v.startswith('{"') and v.endswith("}") for v in self.values
        )

    @property
    def may_be_text(self) -> bool:
        """Whether the values can be texts to learn from: mostly different, and more than a word."""
        long = self.words >= 2 or self.characters >= 12
        written = not (self.is_numeric or self.is_listed or self.is_object)
        return long and self.variety > 0.2 and written

    @property
    def may_be_label(self) -> bool:
        """Whether the values can be labels: few, each on several rows, or numbers."""
        few = 1 <= len(self.values) <= min(_MOST_LABELS, max(2, self.filled // 5))
        return (few and self.characters <= 60) or self.is_numeric or self.is_listed

    @property
    def examples(self) -> list[str]:
        """A few values: the commonest where they repeat, else the first ones."""
        ordered = Counter(self.values).most_common() if self.variety < 0.5 else self.values.items()
        return [value for value, _ in [*ordered][:_EXAMPLES]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column, and why it was chosen, in words."""

    column: Column
    why: str


def names_columns(header: Sequence[str]) -> bool:
    """Whether one of the names is what people call a column of texts or of labels."""
    return any(_is_named(name, (*_TEXT_NAMES, *_LABEL_NAMES)) for name in header)


def is_named_like_texts(name: str) -> bool:
    """Whether the name is what people call a column of texts."""
    return _is_named(name, _TEXT_NAMES)


def words_of_name(name: str) -> list[str]:
    """The words of a column's name in small letters: `worker`, `id` of WorkerId, worker_id and Worker.Id."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[\W_]+", apart.casefold()) if word]


def names_people(name: str) -> bool:
    """Whether the name is what people call those who give labels."""
    words = words_of_name(name)
    return not _PEOPLE.isdisjoint({*words, "".join(words)})


def says_nothing(value: str) -> bool:
    """Whether a cell stands for no value: empty, or as programs write an absent one."""
    return value.strip(_BLANKS).casefold() in _NOTHING


def describe(names: Sequence[str], rows: Sequence[FileRow]) -> list[Column]:
    """The columns of a file with these rows."""
    lines = [line for line, _ in rows]
    return [_column(name, [row.get(name, "") for _, row in rows], lines) for name in names]


def _column(name: str, cells: Sequence[str], lines: Sequence[int]) -> Column:
    values = Counter(cell for cell in cells if not says_nothing(cell))
    filled = max(values.total(), 1)
    return Column(
        name=name,
        values=values,
        rows=len(cells),
        characters=sum(len(value) * count for value, count in values.items()) / filled,
        words=sum(len(value.split()) * count for value, count in values.items()) / filled,
        lines=dict(zip(reversed(cells), reversed(lines), strict=True)),
    )


def named_column(columns: Sequence[Column], name: str, flag: str) -> Chosen:
    """The column that a flag names; `DataError` where there is none."""
    for column in columns:
        if composed(column.name) == composed(name):
            return Chosen(column, f"named by {flag}")
    known = [column.name for column in columns]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    raise DataError(
        f"{flag} {name}, and the file has no such column",
        expected=f"one of: {', '.join(known)}",
        next_step=f"did you mean `{flag} {near[0]}`?" if near else f"name another with {flag}",
    )


def choose_text(columns: Sequence[Column], *, without: Iterable[str] = ()) -> Chosen:
    """The column that is most like texts: long, different in each row, named like it.

    Raises:
        DataError: none is like texts.
    """
    others = {*without}
    left = [column for column in columns if column.name not in others]
    candidates = [column for column in left if column.may_be_text] or [
        # Short texts without blanks, as Chinese ones are, are known by the name of their column.
        column
        for column in left
        if _is_named(column.name, _TEXT_NAMES) and column.values and not column.is_numeric
    ]
    if not candidates:
        shown = "; ".join(f"{c.name[:_NAME]} ({_shown(c)})" for c in columns[:_COLUMNS])
        shown += f"; and {len(columns) - _COLUMNS} more" if len(columns) > _COLUMNS else ""
        raise DataError(
            f"no column that looks like texts: {shown}",
            expected="a column with more than a word in most rows, different from row to row",
            next_step=_where_texts_may_be(left),
        )
    best = max(candidates, key=_likeness_to_text)
    several = "named like texts; " if _is_named(best.name, _TEXT_NAMES) else ""
    return Chosen(
        best, f"{several}{best.words:.0f} words on average, {best.variety:.0%} of the values differ"
    )


def choose_label(columns: Sequence[Column], *, text: Column) -> Chosen:
    """The column that is most like labels: named like it, few values that repeat, or numbers.

    Raises:
        DataError: none is like labels.
    """
    others = [column for column in columns if column.name != text.name]
    named = [c for c in others if c.values and _is_named(c.name, _LABEL_NAMES)]
    likely = [
        column
        for column in others
        if column.may_be_label
        and not (_is_named(column.name, _OTHER_NAMES) or names_people(column.name))
    ]
    candidates = [c for c in named if c.may_be_label or _may_be_several(c)] or likely or named
    if not candidates:
        raise DataError(
            "no column that looks like labels"
            + (f", beside the texts in {text.name}" if others else f": there is only {text.name}"),
            expected="a column with few different values that repeat, or with numbers",
            next_step="name it with --label COLUMN, or add one to the file; if nobody has labelled the texts"
            " yet, name the labels that people will give: --labels complaint,question",
        )
    best = min(candidates, key=lambda c: (c.is_numeric and len(c.values) > 20, len(c.values) < 2))
    name = "named like labels; " if best in named else ""
    return Chosen(best, f"{name}{len(best.values):,} different values in {best.filled:,} rows")


def pair_by_name(columns: Sequence[Column]) -> tuple[Chosen, str] | None:
    """The columns of the first and the second texts, where their names say that they are pairs."""
    by_name = {column.name.casefold(): column for column in columns if column.may_be_text}
    for first, second in _PAIRS.items():
        if first in by_name and second in by_name:
            return Chosen(by_name[first], "named like the first of a pair"), by_name[second].name
    return None


def other_texts(columns: Sequence[Column], *, text: Column, label: Column) -> list[str]:
    """Further columns that are texts, of which one may be the second text of pairs."""
    names = (text.name, label.name)
    return [c.name for c in columns if c.may_be_text and c.words >= 3 and c.name not in names]


def _may_be_several(column: Column) -> bool:
    """Whether the values may be labels joined by a separator, of which many differ."""
    return column.characters <= 60 and column.variety < 0.9


def _likeness_to_text(column: Column) -> float:
    likeness = math.log(1 + column.characters) * column.variety
    if _is_named(column.name, _TEXT_NAMES):
        return likeness * 2
    return likeness * (0.3 if _is_named(column.name, _OTHER_NAMES) else 1.0)


def _is_named(name: str, known: Sequence[str]) -> bool:
    """Whether one of the words of a column's name is among `known`: `review_text`, `Label`."""
    lowered = name.strip().casefold()
    parts = words_of_name(name)
    return lowered in known or any(
        part in known or part.removesuffix("s") in known for part in parts
    )


def _is_number(value: str) -> bool:
    return number_in(value) is not None


def _where_texts_may_be(columns: Sequence[Column]) -> str:
    if inside := next((column.name for column in columns if column.is_object), None):
        return f"if the texts are inside {inside}, take them out: jq -c '. + .[\"{inside}\"]' FILE > rows.jsonl"
    return "name it with --text COLUMN if it is there all the same"


def _shown(column: Column) -> str:
    """A few of the values; of lists and objects that they are such."""
    if column.is_object or column.is_listed:
        return "objects" if column.is_object else "lists"
    return ", ".join(value[:20] for value in column.examples) or "empty"
