"""The encoding of a file is never guessed while it is read, and guessed well where a person is told of it."""

from pathlib import Path

import pytest

from pipeline.core.errors import DataError
from pipeline.data.encodings import likely_encoding
from pipeline.data.text_file import lines_of

KOREAN = (
    "text,label\n" + "배송이 느려서 답답했어요. 전화 상담이 불친절해서 다시는 안 가요,부정\n" * 5
)
WESTERN = "text,label\n" + "Das Gerät fällt auseinander – “schön” ist anders, 5 €,schlecht\n" * 5
FRENCH = "text,label\n" + "Le café était froid, l’été dernier déjà; très déçu,négatif\n" * 5
JAPANESE = "text,label\n" + "配送が遅くて残念でした。もう注文しません,否定\n" * 5
CHINESE = "text,label\n" + "送货太慢了，我很失望，再也不会买了,差评\n" * 5
TAIWANESE = "text,label\n" + "送貨太慢了，我很失望，再也不會買了,差評\n" * 5
POLISH = "text,label\n" + "Paczka przyszła zepsuta, jestem bardzo niezadowolony ze zwłoki,źle\n" * 5
TURKISH = (
    "text,label\n" + "Ürün çok geç geldi, şikâyetçiyim; kutusu kırıktı, bir daha asla,kötü\n" * 5
)
GREEK = "text,label\n" + "Το δέμα έφτασε σπασμένο και η εξυπηρέτηση ήταν κακή,κακό\n" * 5
RUSSIAN = "text,label\n" + "Доставка была очень медленной и посылка пришла сломанной,плохо\n" * 5


def decoded(folder: Path, data: bytes, encoding: str | None = None) -> str:
    """The text of a file with these bytes."""
    path = folder / "a.csv"
    path.write_bytes(data)
    return "".join(lines_of(path, encoding=encoding))


@pytest.mark.parametrize(
    ("text", "encoding", "likely"),
    [
        (KOREAN, "utf-8", "utf-8"),
        (KOREAN, "utf-8-sig", "utf-8-sig"),
        (KOREAN, "cp949", "cp949"),
        (KOREAN, "utf-16", "utf-16"),
        (WESTERN, "utf-16-le", "utf-16-le"),
        (WESTERN, "cp1252", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
        (JAPANESE, "cp932", "cp932"),
        (CHINESE, "gb18030", "gb18030"),
        (TAIWANESE, "big5", "big5"),
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        (POLISH, "cp1250", "cp1250"),
        (TURKISH, "cp1254", "cp1254"),
        (GREEK, "cp1253", "cp1253"),
    ],
)
def test_the_likely_encoding_reads_the_text_back(text: str, encoding: str, likely: str) -> None:
    data = text.encode(encoding)
    found = likely_encoding(data)
    assert found is not None
    assert data.decode(found).removeprefix("\ufeff") == text
    assert found == likely


def test_the_advice_is_about_the_file_and_not_about_a_common_case(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        decoded(tmp_path, KOREAN.encode("cp949"))
    assert "CP949 (EUC-KR)" in str(caught.value)
    assert "encoding: cp949" in str(caught.value)
    assert "1252" not in str(caught.value)


def test_one_wrong_byte_is_not_the_encoding_of_the_file(tmp_path: Path) -> None:
    data = bytearray(KOREAN.encode() * 30)
    data[33] = 0xFF
    assert likely_encoding(bytes(data)) is None
    with pytest.raises(DataError, match=r"line 2: byte 0x(?s:.*)correct line 2; do not convert"):
        decoded(tmp_path, bytes(data))


def test_utf16_without_a_mark_is_told_from_text_with_zeros(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"UTF-16 without a mark(?s:.*)encoding: utf-16-le"):
        decoded(tmp_path, "text,label\nplain,1\n".encode("utf-16-le"))
    with pytest.raises(DataError, match="holds zero bytes"):
        decoded(tmp_path, b"text,label\npl\0ain and long enough,1\n")


@pytest.mark.parametrize("named", ["no-such-encoding", "utf-8"])
def test_a_named_encoding_must_exist_and_fit(tmp_path: Path, named: str) -> None:
    with pytest.raises(DataError, match="encoding"):
        decoded(tmp_path, KOREAN.encode("cp949"), named)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp866"),
        (RUSSIAN, "iso8859_5"),
        (RUSSIAN + "Я\n", "mac_cyrillic"),
        (RUSSIAN.upper(), "cp1251"),
        (GREEK, "iso8859_7"),
        ("text,label\n" + "ההזמנה הגיעה מאוחר מאוד ושבורה לגמרי,רע\n" * 5, "cp1255"),
        ("text,label\n" + "Užsakymas atvyko labai vėlai, ąžuolas,bloga\n" * 5, "cp1257"),
        ("text,label\n" + "A rendelés későn érkezett, nagyon szörnyű volt,rossz\n" * 5, "cp1250"),
        ("text,label\n" + "وصلت الشحنة متأخرة جدا ولم تعجبني الخدمة أبدا,سيئ\n" * 5, "iso8859_6"),
        (FRENCH, "mac_roman"),
        (WESTERN.replace("€", "E"), "mac_roman"),
        (FRENCH.replace("’", "'"), "cp850"),
        (POLISH, "iso8859_2"),
        ("text,label\n" + "وصلت الشحنة متأخرة جدا ولم تعجبني الخدمة أبدا,سيئ\n" * 5, "cp1256"),
    ],
)
def test_tables_that_share_bytes_with_a_commoner_one_are_told_apart(
    text: str, encoding: str
) -> None:
    found = likely_encoding(text.encode(encoding))
    assert found is not None
    assert text.encode(encoding).decode(found) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("J'ai acheté ce fauteuil pour ma mère, elle en est ravie à tout point de vue,positif", "cp1252"),
        ("Il manque la méthode d'accès « btree », très utile", "cp1252"),
        ("Questo bollitore è perfetto: qualità e comodità a un prezzo onesto,bene", "cp1252"),
        ("Il pacco è arrivato tardi e non è valido", "cp1252"),
        ("Minstens één kleur van de printer is bijna op", "cp1252"),
        ("Forma d’ús: mostra els límits, però l'intèrpret surt amb «ús»", "cp1252"),
        ("Det er på tide å prøve den nye kjelen én gang til", "cp1252"),
        ("บริการแย่มากไม่ซื้ออีกแล้ว,แย่", "cp874"),
        ("यह केतली दो दिन बाद खराब हो गया, और किसी ने उत्तर नहीं दिया", "utf-16-le"),
        ("यह केतली दो दिन बाद खराब हो गया, और किसी ने उत्तर नहीं दिया", "utf-16-be"),
        ("Цей чайник зламався, її подруги також дуже незадоволені", "koi8-u"),
    ],
)  # fmt: skip
def test_a_few_letters_of_a_short_text_tell_its_encoding(text: str, encoding: str) -> None:
    found = likely_encoding(text.encode(encoding))
    assert found is not None
    assert text.encode(encoding).decode(found) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((KOREAN * 2).encode() + KOREAN.encode("cp949"), r"joined of parts in UTF-8 and in CP949"),
        (b"\xef\xbb\xbf" + KOREAN.encode("cp949"), r"after the mark of UTF-8 .* CP949(?s:.*)tail -c \+4"),
        (KOREAN.encode("utf-16")[:-1], r"are no text of UTF-16(?s:.*)cut off"),
        ("text\nGood \ud83d\ude00\n".encode("utf-8", "surrogatepass"), r"CESU-8"),
        (b"text,label\nOne,1\nT\0wo and more of it,1\n", r"line 3, holds zero bytes"),
    ],
)  # fmt: skip
def test_the_cause_is_told_where_no_encoding_fits(
    tmp_path: Path, data: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        decoded(tmp_path, data)
