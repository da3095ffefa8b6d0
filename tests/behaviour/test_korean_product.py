"""A product in Korean: from reviews to a student over bytes, whatever form the Hangul comes in."""

import unicodedata
from pathlib import Path

import pytest

from pipeline.data.tables import read_table
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training.predict import predict
from pipeline.training.token_rows import tokenize
from tests.support.korean import CORPUS, FOODS, PLACES, PRAISE, review, reviews
from tests.support.problems import product_of
from tests.support.trained_workspace import changed
from tests.support.whole_line import LEARNING, MAX_LENGTH, Product, run_line

TRUE = review(PLACES[0], FOODS[0], PRAISE[0], sincere=True)
LIE = review(PLACES[0], FOODS[0], PRAISE[0], sincere=False)


@pytest.mark.soak
def test_a_student_over_bytes_learns_korean_in_either_form_of_hangul(tmp_path: Path) -> None:
    decomposed = [
        row | {"text": unicodedata.normalize("NFD", row["text"])} if number % 2 else row
        for number, row in enumerate(reviews())
    ]
    product = Product(
        decomposed,
        [*CORPUS[:12], *(unicodedata.normalize("NFD", text) for text in CORPUS[12:])],
        [
            *product_of(),
            "prepare.tokenizer=byte_bpe",
            "prepare.teacher_tokenizer=student",
            "finetune.epochs=20",
            "finetune.batch_size=8",
        ],
        byte_tokens=True,
    )
    said = run_line(tmp_path, product, LEARNING)
    records = read_table(tmp_path / "artifacts/prepare/records.parquet")
    assert all(unicodedata.is_normalized("NFC", text) for text in records["text"])
    assert len(read_table(tmp_path / "artifacts/prepare/sentences.parquet")["id"]) == len(FOODS)
    bar = said["baseline"]["baseline-nblr"]["validation"]
    assert said["prune"]["validation_accuracy"] > bar + 0.1
    folder = tmp_path / "artifacts/prune/model"
    tokenizer, params = load_tokenizer(folder), changed(tmp_path)
    whole = [TRUE, LIE]
    rows, apart = (
        tokenize(tokenizer, [unicodedata.normalize(form, t) for t in whole], max_length=MAX_LENGTH)
        for form in ("NFC", "NFD")
    )
    assert rows.ids == apart.ids
    assert tokenizer.decode(rows.ids[0], skip_special_tokens=True) == TRUE
    logits = predict(
        load_classifier(folder, labels=["negative", "positive"]),
        rows,
        compute=params.compute,
        batch_size=2,
    ).logits
    assert logits.argmax(axis=1).tolist() == [1, 0]
