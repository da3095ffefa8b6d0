"""Personal data are found at their exact places, in English and Korean, and nothing else is."""

import pytest

from pipeline.data.personal_data import redacted, spans
from pipeline.data.personal_kinds import KINDS

# Kind → ways to write it; none is of a person.
WRITTEN = {
    "email": ["hong@naver.com", "Hong.Gil-dong+news@mail.example.co.kr", "hong @ naver.com"],
    "url": [
        *["https://example.org", "http://example.org/a_(b)?c=d&e=%20#f", "www.example.co.kr/a"],
        *["WWW.EXAMPLE.ORG", "ftp://192.168.10.1/files"],
    ],
    "phone": [
        *["010-1234-5678", "010 1234 5678", "010.1234.5678", "01012345678", "010 - 1234 - 5678"],
        *["(010) 1234-5678", "011-234-5678", "02-123-4567", "0212345678", "(02) 123-4567"],
        *["031-123-4567", "070-1234-5678", "080 123 4567", "0505-123-4567"],
        *["+82-10-1234-5678", "+82 10 1234 5678", "+821012345678", "+82 (0)10-1234-5678"],
        *["+82 2 123 4567", "82-10-1234-5678", "+1 212-555-0123", "(212) 555-0123"],
        *[
            "212.555.0123",
            "001-212-555-0123",
            "212-555-0123x45",
            "+12125550123",
            "+44 20 7946 0958",
            "020 7946 0958",
            "+49 30 901820",
            "+44(0)131 4960319",
            "+44(0)2074960719",
            "(0118) 4960780",
            "07479 233736",
        ],
    ],
    "resident_number": [
        *["900101-1234568", "9001011234568", "900101 - 1234568", "900101 1234568"],
        *["040229-3000000", "201015-4123456", "850712-5123456", "010203-8123456"],
    ],
    "business_number": ["123-45-67890", "123 45 67890", "2208162517"],
    "passport": ["M12345678", "M123A4567", "S 12345678"],
    "driver_licence": ["11-12-345678-90", "11 12 345678 90", "서울 12-345678-90"],
    "card": [
        *["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "5500 0000 0000 0004"],
        *["3782 822463 10005", "378282246310005", "4222222222222", "213100000000001"],
    ],
    "bank_account": ["110-123-456789", "123456-01-234567", "1002123456789", "3333 01 1234567"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "BE68-5390-0754-7034"],
    "us_ssn": ["078-05-1120", "078 05 1120"],
    "ip_address": ["192.168.0.12", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a"],
}
CASES = [(kind, value) for kind, values in WRITTEN.items() for value in values]
AROUND = [
    "Ask for {} at noon.",
    "{}",
    "({}), they said",
    "문의는 {}로 주세요",
    "그것은{}입니다",
    "『{}』",
]
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in spans(text)]


def said(kind: str, value: str, around: str) -> str:
    """The value in a sentence; an account is one only beside a word that says so."""
    return around.format(value).replace(value, f"계좌 {value}" if kind == "bank_account" else value)


def test_every_kind_is_written_here() -> None:
    assert set(WRITTEN) == set(KINDS)


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_a_value_is_found_at_its_exact_place_whatever_stands_around_it(
    kind: str, value: str
) -> None:
    for around in AROUND:
        assert found(said(kind, value, around)) == [(kind, value)]


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_full_width_characters_are_read_as_plain_ones_and_keep_their_places(
    kind: str, value: str
) -> None:
    wide = value.translate(FULL_WIDTH)
    assert found(said(kind, wide, "문의는 {}로 주세요")) == [(kind, wide)]


@pytest.mark.parametrize("hyphen", "‐‑–—−ㅡ")
def test_other_hyphens_join_a_number_too(hyphen: str) -> None:
    number = "010-1234-5678".replace("-", hyphen)
    assert found(f"전화는{number}로") == [("phone", number)]


@pytest.mark.parametrize(
    "text",
    [
        "From 1914-1918 and 1939-1945, then 1950 1951 1952 1953.",
        "9.5/10, 8/10, 100,000,000 people and 3.14159265358979.",
        "12:30:45 at 2026-11-30 12:30:45, ratio 16:9",
        "std::vector<int>, abc::def, version 1.2.3.4",
        "990230-1234567 and 901301-1234567 have no such day, 900101-9234567 no such century.",
        "4111 1111 1111 1112 is no card, nor is 0000 0000 0000 0000.",
        "DE89 3704 0044 0532 0130 01 is no account.",
        "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567, 123-45-0000",
        "2208162518 has another last digit, 1234567890 too.",
        "follow me @ home or user@localhost, a@b",
        "A12345678901 is a part, XM12345678 and M123456789 too.",
        "제3조제1항 및 2009. 12. 31. 법률 제9932호, 110-123-456789 번 문서",
        "2001:db8::9602:d52b1 has five digits in a row",
        "256.300.1.10 and 01.02.03.04 and 1.2.3.4.5",
    ],
)
def test_other_numbers_and_words_are_no_personal_data(text: str) -> None:
    assert found(text) == []


def test_a_number_beside_another_number_keeps_its_edges() -> None:
    assert found("in 1999 010 1234 5678 2020") == [("phone", "010 1234 5678")]
    assert found("1999 4111 1111 1111 1111 20") == [("card", "4111 1111 1111 1111")]
    assert found("DE89 3704 0044 0532 0130 00 1999") == [("iban", "DE89 3704 0044 0532 0130 00")]
    assert found("계좌 110 123 456789 2020년") == [("bank_account", "110 123 456789")]
    assert found("계좌 301 0123 4567 89 2020년") == [("bank_account", "301 0123 4567 89")]
    assert found("+44 20 7946 0958 10 people") == [("phone", "+44 20 7946 0958")]


@pytest.mark.parametrize(
    "text",
    [
        *["신한은행 110-123-456789", "계좌번호는 110-123-456789", "국민 110-123-456789"],
        *["110-123-456789 신한은행으로", "입금계좌(110-123-456789)", "카카오뱅크: 110-123-456789"],
    ],
)
def test_an_account_is_told_by_the_bank_or_the_word_beside_it(text: str) -> None:
    assert found(text) == [("bank_account", "110-123-456789")]


def test_a_phone_number_beside_a_bank_is_a_phone_number() -> None:
    assert found("신한은행 010-1234-5678") == [("phone", "010-1234-5678")]


def test_a_resident_number_with_an_impossible_day_is_one_where_the_text_says_so() -> None:
    assert found("주민등록번호: 990230-1234567") == [("resident_number", "990230-1234567")]


def test_an_area_may_have_its_closing_bracket_alone() -> None:
    assert found("문의는 02)123-4567로") == [("phone", "02)123-4567")]


def test_numbers_without_gaps_are_told_by_the_words_before_them() -> None:
    assert found("사업자등록번호 1234567890") == [("business_number", "1234567890")]
    assert found("운전면허번호: 111234567890") == [("driver_licence", "111234567890")]
    assert found("Call me: 2125550123.") == [("phone", "2125550123")]
    assert found("order 2125550123") == []
    assert found("SSN 078051120") == [("us_ssn", "078051120")]


def test_marks_of_the_sentence_are_no_part_of_an_address() -> None:
    assert found("2001:db8::1ff1: an address") == [("ip_address", "2001:db8::1ff1")]
    assert found("See (www.example.org/a_(b)), or http://example.org!") == [
        ("url", "www.example.org/a_(b)"),
        ("url", "http://example.org"),
    ]
    assert found("http://example.org을 보세요. hong@naver.com.") == [
        ("url", "http://example.org"),
        ("email", "hong@naver.com"),
    ]


def test_one_value_is_of_one_kind() -> None:
    assert found("http://hong@example.org/010-1234-5678") == [
        ("url", "http://hong@example.org/010-1234-5678")
    ]


def test_several_values_are_found_in_their_order_and_replaced_by_their_kinds() -> None:
    text = "전화는010-1234-5678로, 메일은hong@naver.com으로, 주민번호 ９００１０１－１２３４５６８"
    places = spans(text)
    assert [span.kind for span in places] == ["phone", "email", "resident_number"]
    replaced = redacted(text, places)
    assert replaced == "전화는[phone]로, 메일은[email]으로, 주민번호 [resident_number]"
    assert spans(replaced) == []


def test_a_text_without_personal_data_is_redacted_to_itself() -> None:
    text = "제１조 이 영화는 2009년에 나왔다."
    assert redacted(text, spans(text)) == text


@pytest.mark.parametrize("part", ["1", "1 ", "1-", "a.", ":", ")", "@", "010-", "A1", "http://a)"])
def test_long_runs_of_what_may_begin_a_value_are_read_to_their_end(part: str) -> None:
    text = part * 20_000 + " 010-1234-5678"
    assert found(text)[-1] == ("phone", "010-1234-5678")
