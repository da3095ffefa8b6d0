"""Texts that were spoiled before they came here are told of; texts with accents are not."""

import pytest

from pipeline.data.garbled import notes_on_garbled

FRENCH = "Le café était froid, l’été dernier déjà; très déçu"
KOREAN = "배송이 느려서 답답했어요. 전화 상담이 불친절해서 다시는 안 가요"
SPANISH = "¡Qué niño! “CAFÉ” – 5 € · ÀÉÎ"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FRENCH.encode().decode("cp1252", "replace"), "10 of 10 texts are UTF-8 that was read"),
        (KOREAN.encode().decode("latin-1"), "10 of 10 texts are UTF-8 that was read"),
        (KOREAN.encode("cp949").decode("latin-1"), "CP949 (EUC-KR) read as Windows-1252"),
        (KOREAN.encode("cp949").decode("cp1252", "replace"), "CP949 (EUC-KR) read as"),
        (KOREAN.encode("unicode_escape").decode(), "letters as \\uXXXX"),
        (FRENCH.replace("é", "\ufffd"), "hold '\ufffd'"),
    ],
)
def test_spoiled_texts_are_told_of(text: str, message: str) -> None:
    assert message in "\n".join(notes_on_garbled([text] * 10))


@pytest.mark.parametrize("text", [FRENCH, KOREAN, SPANISH, "ÄÖÜ “É” Ã", "plain", "C:\\users"])
def test_letters_with_accents_are_no_fault(text: str) -> None:
    assert [*notes_on_garbled([text] * 10)] == []
