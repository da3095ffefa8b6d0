"""Values of each kind of personal data, drawn by rules of their own; they belong to nobody."""

import random
from collections.abc import Callable

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_WIDE_SHARE = 0.15
_WITH_GAPS = ("-", "-", " ", ".", " - ")
_ANY = (*_WITH_GAPS, "")


def value_of(kind: str, chance: random.Random) -> str:
    """A value of the kind in one of the ways that people write it, some in full-width characters."""
    value = _VALUES[kind](chance)
    return value.translate(_WIDE) if chance.random() < _WIDE_SHARE else value


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def _joined(chance: random.Random, groups: list[str], gaps: tuple[str, ...]) -> str:
    return chance.choice(gaps).join(groups)


def _email(chance: random.Random) -> str:
    name = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(3, 9)))
    tail = chance.choice(
        ["", "", f".{chance.choice(['kim', 'lee', 'smith'])}", _digits(chance, 2), "_k"]
    )
    return f"{name}{tail}@{chance.choice(['naver.com', 'example.co.kr', 'mail.example.org', 'daum.net'])}"


def _url(chance: random.Random) -> str:
    start = chance.choice(["https://", "http://", "www.", "https://www."])
    tail = chance.choice(["", "/", f"/{_digits(chance, 5)}", "/a-b/c_d.html", "/?q=a&p=2", "/x#y"])
    return f"{start}{chance.choice(['example', 'my-site', 'shop3'])}.{chance.choice(['com', 'co.kr', 'org'])}{tail}"


def _phone(chance: random.Random) -> str:
    last = _digits(chance, 4)
    area = chance.choice(["02", "031", "032", "041", "051", "055", "062", "064", "070", "080"])
    middle = f"{chance.randint(2, 9)}{_digits(chance, chance.choice([2, 3]))}"
    mobile = f"{chance.randint(2, 9)}{_digits(chance, 3)}"
    american = [str(chance.randint(201, 989)), f"{chance.randint(2, 9)}{_digits(chance, 2)}", last]
    british = ["+44", "20", f"{chance.randint(7, 8)}{_digits(chance, 3)}", last]
    ways: list[Callable[[], str]] = [
        *[lambda: _joined(chance, ["010", mobile, last], _ANY)] * 3,
        lambda: _joined(chance, ["+82", "10", mobile, last], ("-", " ", "")),
        lambda: _joined(chance, [area, middle, last], _ANY),
        lambda: f"({area}) {middle}-{last}",
        lambda: _joined(chance, ["+82", area[1:], middle, last], ("-", " ", "")),
        lambda: _joined(chance, american, ("-", ".", " ")),
        lambda: f"+1 {'-'.join(american)}",
        lambda: _joined(chance, british, ("-", " ", "")),
    ]
    return chance.choice(ways)()


def _resident_number(chance: random.Random) -> str:
    """With a checksum before October 2020, without one after; of citizens and of foreigners."""
    year, month, day = chance.randint(1930, 2025), chance.randint(1, 12), chance.randint(1, 28)
    kind = chance.choice([1, 2, 5, 6] if year < 2000 else [3, 4, 7, 8])
    body = f"{year % 100:02}{month:02}{day:02}{kind}{_digits(chance, 5)}"
    weighed = sum(int(digit) * (place % 8 + 2) for place, digit in enumerate(body))
    last = str((11 - weighed % 11) % 10) if chance.random() < 0.5 else _digits(chance, 1)
    return _joined(chance, [body[:6], body[6:] + last], _ANY)


def _business_number(chance: random.Random) -> str:
    body = f"{chance.randint(101, 999)}{_digits(chance, 6)}"
    weighed = sum(
        int(digit) * by for digit, by in zip(body, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True)
    )
    number = f"{body}{-(weighed + int(body[8]) * 5 // 10) % 10}"
    return _joined(chance, [number[:3], number[3:5], number[5:]], _ANY)


def _passport(chance: random.Random) -> str:
    first = chance.choice("MSRDOG")
    if chance.random() < 0.5:
        return first + _digits(chance, 8)
    return f"{first}{_digits(chance, 3)}{chance.choice('ABCDEFGHJK')}{_digits(chance, 4)}"


def _driver_licence(chance: random.Random) -> str:
    first = chance.choice([str(chance.randint(11, 26)), "서울", "부산", "경기", "충남"])
    if not first.isdigit():
        return f"{first} {_digits(chance, 2)}-{_digits(chance, 6)}-{_digits(chance, 2)}"
    return _joined(
        chance, [first, _digits(chance, 2), _digits(chance, 6), _digits(chance, 2)], _WITH_GAPS
    )


def _card(chance: random.Random) -> str:
    body = chance.choice(["4", "51", "55", "62", "9430", "37"])
    length = 15 if body == "37" else 16
    body += _digits(chance, length - 1 - len(body))
    total = sum(
        sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10))
        for place, digit in enumerate(reversed(body))
    )
    number = f"{body}{-total % 10}"
    cuts = [4, 10, 15] if length == 15 else [4, 8, 12, 16]
    groups = [number[first:last] for first, last in zip([0, *cuts], cuts, strict=False)]
    return _joined(chance, groups, ("-", " ", " ", "", "."))


def _bank_account(chance: random.Random) -> str:
    lengths = chance.choice([[3, 3, 6], [6, 2, 6], [4, 3, 6], [3, 6, 5], [3, 4, 4, 2], [4, 2, 7]])
    first, *others = lengths
    groups = [
        f"{chance.randint(1, 9)}{_digits(chance, first - 1)}",
        *(_digits(chance, n) for n in others),
    ]
    return _joined(chance, groups, ("-", "-", "-", " ", ""))


def _iban(chance: random.Random) -> str:
    country, length = chance.choice(
        [("DE", 22), ("GB", 22), ("FR", 27), ("ES", 24), ("NL", 18), ("BE", 16)]
    )
    body = _digits(chance, length - 4)
    if country in ("GB", "NL"):
        body = "".join(chance.choice("ABCDEFGHIJ") for _ in range(4)) + body[4:]
    numbers = "".join(str(int(character, 36)) for character in f"{body}{country}00")
    whole = f"{country}{98 - int(numbers) % 97:02}{body}"
    return _joined(chance, [whole[at : at + 4] for at in range(0, length, 4)], ("", " "))


def _us_ssn(chance: random.Random) -> str:
    area = chance.choice([number for number in range(1, 900) if number != 666])
    groups = [f"{area:03}", f"{chance.randint(1, 99):02}", f"{chance.randint(1, 9999):04}"]
    return _joined(chance, groups, ("-", "-", " "))


def _ip_address(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return ".".join(str(chance.randint(10, 255)) for _ in range(4))
    groups = [f"{chance.randint(1, 65535):x}" for _ in range(8)]
    return ":".join(groups) if chance.random() < 0.5 else f"2001:db8::{groups[0]}:{groups[1]}"


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "email": _email,
    "url": _url,
    "phone": _phone,
    "resident_number": _resident_number,
    "business_number": _business_number,
    "passport": _passport,
    "driver_licence": _driver_licence,
    "card": _card,
    "bank_account": _bank_account,
    "iban": _iban,
    "us_ssn": _us_ssn,
    "ip_address": _ip_address,
}
