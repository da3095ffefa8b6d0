"""Texts that a vocabulary can only spell are told from texts whose words it has."""

import unicodedata

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from pipeline.core import packages
from pipeline.text.known import known_letters
from pipeline.text.unknown import bare
from tests.support.repository import parameter_values

UNKNOWN = "[UNK]"
LATIN = {
    "English": "The film is a warm and quietly funny story about two brothers who inherit a failing restaurant.",
    "German": "Der Film erzählt eine warmherzige Geschichte über zwei Brüder, die ein Gasthaus erben.",
    "Finnish": "Elokuva kertoo lämpimästi kahdesta veljeksestä, jotka perivät ravintolan.",
    "Polish": "Film ciepło opowiada historię dwóch braci, którzy dziedziczą podupadającą restaurację.",
    "Turkish": "Film, iflasın eşiğindeki bir lokantayı miras alan iki kardeşin hikâyesini anlatıyor.",
    "Vietnamese": "Bộ phim kể một câu chuyện ấm áp về hai anh em thừa kế một nhà hàng sắp phá sản.",
}
OTHERS = {
    "Russian": "Фильм тепло рассказывает историю двух братьев, которые унаследовали ресторан.",
    "Greek": "Η ταινία αφηγείται με τρυφερότητα την ιστορία δύο αδελφών.",
    "Hebrew": "הסרט מספר בחום את סיפורם של שני אחים שיורשים מסעדה כושלת",
    "Arabic": "يحكي الفيلم بدفء قصة أخوين يرثان مطعما على وشك الإفلاس.",
    "Hindi": "यह फिल्म दो भाइयों की कहानी है जिन्हें एक रेस्तराँ विरासत में मिलता है।",
    "Thai": "ภาพยนตร์เรื่องนี้เล่าเรื่องราวอันอบอุ่นของพี่น้องสองคน",
    "Japanese": "この映画は、つぶれかけた食堂を受け継いだ兄弟の物語を、温かく描いている。",
    "Chinese": "这部电影温情地讲述了两个兄弟继承一家濒临倒闭的餐馆的故事。",
    "Korean": "망해 가는 식당을 물려받은 두 형제의 이야기를 따뜻하게 그린 영화다.",
}


@pytest.fixture(scope="module")
def english() -> Tokenizer:
    """The vocabulary of the default checkpoint."""
    named = parameter_values()["prepare"]["checkpoint"]
    folder = packages.locate(named["package"], named["path"])
    assert folder is not None
    return bare(Tokenizer.from_file(str(folder / "tokenizer.json")))


@pytest.mark.parametrize("language", LATIN)
def test_an_english_vocabulary_has_pieces_of_words_in_latin_letters(
    english: Tokenizer, language: str
) -> None:
    assert known_letters(english, [LATIN[language]], unknown=UNKNOWN) > 0.83


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("language", OTHERS)
def test_it_spells_words_of_other_scripts_or_does_not_know_them(
    english: Tokenizer, language: str, form: str
) -> None:
    text = unicodedata.normalize(form, OTHERS[language])
    assert known_letters(english, [text], unknown=UNKNOWN) < 0.75


def test_what_is_no_letter_does_not_count(english: Tokenizer) -> None:
    text = "so good 😂😂😂 🔥 12 % !!! 😍"
    assert known_letters(english, [text], unknown=UNKNOWN) == 1.0
    assert known_letters(english, ["😂 12", ""], unknown=UNKNOWN) == 1.0


def test_a_character_that_is_a_word_is_known_by_itself() -> None:
    vocabulary = {UNKNOWN: 0, "电": 1, "影": 2, "は": 3, "а": 4, "영": 5, "ᄋ": 6}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    assert known_letters(tokenizer, ["电影は"], unknown=UNKNOWN) == 1.0
    assert known_letters(tokenizer, ["영ᄋ"], unknown=UNKNOWN) == 0.5
    assert known_letters(tokenizer, ["电影аа"], unknown=UNKNOWN) == 0.5
    assert known_letters(tokenizer, ["电影字字"], unknown=UNKNOWN) == 0.5
