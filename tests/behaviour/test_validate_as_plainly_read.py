"""validate's tables are those of a plain reading, row after row, on random small tables full of trouble.

The plain reading holds every row and compares every text with every other: too slow for real data, and
short enough to be read as the specification.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from pipeline import validate
from pipeline.core.artifacts.table_columns import Rejects, ValidatedCorpus, ValidatedRecords
from pipeline.core.cleaning import clean
from pipeline.core.files import read_json, write_json
from pipeline.core.letters import has_letter
from pipeline.core.sections import ValidateParams
from pipeline.data.personal_data import redacted, spans
from pipeline.data.records import Record, read_records, record_id, write_records
from pipeline.data.tables import read_table
from pipeline.text.bare_words import bare_words, words_and_symbols
from pipeline.text.word_counts import with_blanks, word_count
from tests.support.grams import grams
from tests.support.problems import PAIRS
from tests.support.small_reviews import at, params

WORDS = [
    "the",
    "film",
    "was",
    "a",
    "quiet",
    "joy",
    "from",
    "start",
    "to",
    "end",
    "and",
    "nobody",
    "left",
    "배송이",
    "정말",
    "빨라요",
    "映画",
]
ENDS = ["", "", ".", "!", " :)", " :(", " 👍", " C++", " C#", " 010-1234-5678", " a@b.org"]
NO_LIMITS = ["min_rows_per_label=1", "max_label_share=1.0", "max_corpus_reject_share=1.0"]
NO_LIMITS += ["max_reject_share=1.0", "max_duplicate_share=1.0", "max_characters=160"]


known_grams = cache(grams)


def likeness(first: str, second: str) -> float:
    """The Jaccard similarity of the grams of two texts, 0 to 1."""
    one, other = known_grams(first), known_grams(second)
    return len(one & other) / len(one | other)


def random_texts(chance: random.Random, count: int) -> Iterator[str]:
    """Texts of few words, many of which equal, hold or nearly equal one before them."""
    made = ["the film was a quiet joy from start to end"]
    for _ in range(count):
        words = chance.choices(WORDS, k=chance.choice([0, 1, 3, 6, 9, 12]))
        known = chance.choice(made)
        shapes = [" ".join(words), known, known.upper(), f"{known} {' '.join(words)}", known[:-1]]
        shapes += [f"<b>{known}</b>", f"{known}s", "?!", "ok", known * 9]
        made.append(chance.choice([*shapes[:1] * 8, *shapes]) + chance.choice(ENDS))
        yield made[-1]


def random_rows(chance: random.Random, source: str, count: int, *, pairs: bool) -> list[Record]:
    """Records by id, as collect makes them: a repeated row has an id of its own."""
    seconds = [*random_texts(chance, 6)]
    seen: list[tuple[str, str | None]] = []
    rows = []
    for text in random_texts(chance, count):
        texts = text, chance.choice(seconds) if pairs else None
        identifier = record_id(source, text, second=texts[1], copy=seen.count(texts))
        seen.append(texts)
        rows.append(
            Record(
                id=identifier,
                source=source,
                text=text,
                second=texts[1],
                label=chance.choice(["positive", "positive", "negative"]),
            )
        )
    return sorted(rows, key=lambda row: row.id)


def texts_of(row: Record) -> list[str]:
    return [row.text] if row.second is None else [row.text, row.second]


def bare(row: Record) -> str:
    return "\n".join(map(bare_words, texts_of(row)))


def cleaned(row: Record, limits: ValidateParams) -> Record:
    texts = [clean(text) for text in texts_of(row)]
    if limits.personal_data == "redact":
        texts = [redacted(text, spans(text)) for text in texts]
    return replace(row, text=texts[0], second=texts[1] if row.second is not None else None)


def fault(text: str, limits: ValidateParams) -> str | None:
    if not has_letter(text):
        return "empty"
    if len(text) < limits.min_characters:
        return "too short"
    return "too long" if len(text) > limits.max_characters else None


def usable(rows: Sequence[Record], limits: ValidateParams) -> tuple[list[Record], list[Record]]:
    """Cleaned rows of a valid length, those that repeat a row of their source last, and the others."""
    kept, rejects = [], []
    by_id = sorted(rows, key=lambda row: row.id)
    firsts = [row for row in by_id if row.id == record_id(row.source, row.text, second=row.second)]
    for row in firsts + [row for row in by_id if row not in firsts]:
        new = cleaned(row, limits)
        faults = [found for text in texts_of(new) if (found := fault(text, limits))]
        if faults:
            told = new if limits.personal_data == "redact" else row
            rejects.append(replace(told, reason=faults[0]))
        else:
            kept.append(new)
    return kept, rejects


def grouped(rows: Sequence[Record], keys: Sequence[object]) -> list[list[Record]]:
    same: dict[object, list[Record]] = {}
    for row, key in zip(rows, keys, strict=True):
        same.setdefault(key, []).append(row)
    return [*same.values()]


def without_copies(rows: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    kept, rejects = [], []
    for rows_alike in grouped(rows, [bare(row) for row in rows]):
        parts = [rows_alike]
        if len({row.label for row in rows_alike}) > 1:
            symbols = [tuple(map(words_and_symbols, texts_of(row))) for row in rows_alike]
            parts = grouped(rows_alike, symbols)
        for first, *others in parts:
            if any(other.label != first.label for other in others):
                reason = "copies with different labels"
                rejects += [replace(row, reason=reason) for row in (first, *others)]
            else:
                kept.append(first)
                rejects += [replace(row, reason="copy of another row") for row in others]
    return sorted(kept, key=lambda row: row.id), rejects


def with_clusters(rows: Sequence[Record], similarity: float) -> list[Record]:
    """Rows with the smallest id of those that a chain of near copies, or of one premise, leads to."""
    names = [row.id for row in rows]
    firsts, words = [bare_words(row.text) for row in rows], [bare(row) for row in rows]
    for one in range(len(rows)):
        for other in range(one):
            premise = rows[0].second is not None and firsts[one] == firsts[other]
            near = likeness(words[one], words[other]) >= similarity
            if (premise and firsts.count(firsts[one]) <= 20) or near:
                ends = names[one], names[other]
                names = [min(ends) if name in ends else name for name in names]
    return [replace(row, cluster=name) for row, name in zip(rows, names, strict=True)]


def holds(text: str, part: str) -> bool:
    inside = f" {with_blanks(part)} " in f" {with_blanks(text)} "
    return bool(part) and inside and word_count(part) >= 4


def leak(text: str, pieces: Sequence[str], similarity: float) -> str | None:
    if text and any(holds(text, piece) or text == piece for piece in pieces):
        return "holds a labelled text"
    if any(holds(piece, text) for piece in pieces):
        return "is part of a labelled text"
    return "is nearly a labelled text" if near_one(text, pieces, similarity) else None


def near_one(text: str, pieces: Sequence[str], similarity: float) -> bool:
    return any(likeness(text, piece) >= similarity for piece in pieces)


def plainly(
    records: Sequence[Record], corpus: Sequence[Record], limits: ValidateParams
) -> tuple[list[Record], list[Record], list[Record]]:
    """The labelled rows, the corpus and the rows taken out."""
    similarity = limits.near_duplicate_similarity
    kept, unusable = usable(records, limits)
    kept, copies = without_copies(kept)
    others, unusable_others = usable(corpus, limits)
    others, other_copies = without_copies(others)
    pieces = [piece for row in kept for piece in bare(row).split("\n")]
    reasons = [leak(bare(row), pieces, similarity) for row in others]
    told = [replace(row, reason=why) for row, why in zip(others, reasons, strict=True) if why]
    rest = [row for row, why in zip(others, reasons, strict=True) if why is None]
    rejects = [*unusable, *copies, *unusable_others, *other_copies, *told]
    return with_clusters(kept, similarity), rest, rejects


def columns_of(rows: Sequence[Record], names: Sequence[str]) -> dict[str, list[object]]:
    return {name: [getattr(row, name) for row in rows] for name in names}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("personal_data", ["count", "redact"])
@pytest.mark.parametrize("pairs", [False, True], ids=["texts", "pairs"])
def test_every_table_is_that_of_a_plain_reading(
    tmp_path: Path, seed: int, personal_data: str, pairs: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data, not a secret
    records = random_rows(chance, "mine", 70, pairs=pairs)
    records += random_rows(chance, "a second source", 20, pairs=pairs)
    corpus = random_rows(chance, "web", 60, pairs=False)
    out = at(tmp_path, "collect").out
    write_records(out / "records.parquet", records, ("id", "source", "text", "second", "label"))
    write_records(out / "corpus.parquet", corpus, ("id", "source", "text", "label"))
    write_json(out / "manifest.json", {"sources": []})
    changes = [f"validate.{limit}" for limit in (*NO_LIMITS, f"personal_data={personal_data}")]
    given = params(*changes, *(PAIRS if pairs else []))
    paths = at(tmp_path, "validate")
    validate.run(given, paths)
    kept, rest, rejects = plainly(records, corpus, given.validate_)
    for name, rows, columns in (
        ("records", kept, ValidatedRecords.columns()),
        ("corpus", rest, ValidatedCorpus.columns()),
        ("rejects", rejects, Rejects.columns()),
    ):
        found = read_table(paths.out / f"{name}.parquet")
        assert found == columns_of(rows, columns), name
    report = read_json(paths.out / "report.json")
    holding = [[span.kind for text in texts_of(row) for span in spans(text)] for row in kept]
    if personal_data == "count":
        assert report["personal_data"]["labelled"]["phone"] == sum("phone" in h for h in holding)
    sizes = sorted(sum(map(len, texts_of(row))) for row in kept)
    assert report["labelled"]["characters"]["most"] == sizes[-1]
    assert report["labelled"]["rows_out"] == len(read_records(paths.out / "records.parquet"))
