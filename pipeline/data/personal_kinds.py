"""The kinds of personal data that a text may hold: how each is written, and what it must fulfil.

Patterns see texts in which full-width characters have become plain ones (`pipeline.data.personal_data`).
A number ends where neither a digit nor a Latin letter follows, not at the edge of a word: Korean particles
follow without a blank. Checksums decide where every number of the kind has a valid one, as cards do, or
where nothing else speaks for it; Korean resident numbers that were given out since October 2020 have none.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

_Match = re.Match[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which a kind is written.

    Attributes:
        kind: its name, as the report and redacted texts tell it.
        pattern: finds what may be one; all such places are tried, also those that overlap.
        end_of: where what was found ends in the text; None where it is none of the kind.
    """

    kind: str
    pattern: re.Pattern[str]
    end_of: Callable[[_Match], int | None]


# Edges of a number. Another group of digits beyond a hyphen or a dot would be a part of it.
_LEFT = r"(?<![0-9A-Za-z])(?<![0-9][-.])"
_RIGHT = r"(?![0-9A-Za-z])(?![-.][0-9])"
_GAP = r"(?: ?[-.] ?| )"  # between two groups
_ANY = rf"{_GAP}?"

_AREA = r"(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|50[2-9]?|[3678]0)"
_COUNTRY = r"(?:\+|00)82[-. )]{0,2}(?:\(0\) ?|0)?"
_MOBILE = (
    rf"(?:{_COUNTRY}1[016-9]|82[-. ]1[016-9]|\(01[016-9]\)|01[016-9]\)?)"
    rf"{_ANY}[0-9]{{3,4}}{_ANY}[0-9]{{4}}"
)
_LANDLINE = rf"(?:{_COUNTRY}{_AREA}|\(0{_AREA}\)|0{_AREA}\)?){_ANY}[0-9]{{3,4}}{_ANY}[0-9]{{4}}"
_TRUNK = (
    rf"(?:0[1-9][0-9]{{0,3}}{_GAP}[0-9]{{3,4}}{_GAP}[0-9]{{4}}|0[1-9][0-9]{{1,3}}[- ][0-9]{{6,8}}"
    rf"|\(0[1-9][0-9]{{0,4}}\) ?[0-9]{{2,4}}{_ANY}[0-9]{{3,4}})"
)
_WITHOUT_GAPS = r"(?:[2-9][0-9]{2}[2-9][0-9]{6}|0[1-9][0-9]{8,9})"
_AMERICAN = (
    r"(?:(?:\+|00)?1[-. ])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[-. ][0-9]{4}"
    rf"|[2-9][0-9]{{2}}(?P<gap>{_GAP})[2-9][0-9]{{2}}(?P=gap)[0-9]{{4}})"
    r"(?: ?(?:x|ext\.?) ?[0-9]{1,5})?"
)
_ABROAD = r"\+[1-9](?:(?:[-. ()]|\) | \(| - )?[0-9]){7,14}"
# Calling code → digits of its longest number, the code among them; 15 is the most of all (ITU-T E.164).
_LONGEST = {"1": 11, "7": 11, "33": 11, "34": 11, "44": 12, "61": 11, "65": 10, "81": 12, "82": 12}
_LONGEST |= {"84": 12, "86": 13, "852": 11, "886": 12}

_LAST_GROUP = re.compile(r"[-. ()]+[0-9]+\Z")

_REGION = (
    r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기(?:[남북]부)?|강원|[충전경][남북]|제주)[- ]?"
)
_DRIVER = rf"(?:(?:1[1-9]|2[0-8]){_GAP}|{_REGION})[0-9]{{2}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{2}}"

_FOURS = rf"[2-69][0-9]{{3}}(?P<four>{_ANY})[0-9]{{4}}(?P=four)[0-9]{{4}}(?P=four)[0-9]{{4}}"
_CARD = (
    rf"(?:{_FOURS}(?:(?P=four)[0-9]{{3}})?"
    rf"|3[47][0-9]{{2}}(?P<six>{_ANY})[0-9]{{6}}(?P=six)[0-9]{{5}}"
    rf"|3[0689][0-9]{{2}}(?P<dine>{_ANY})[0-9]{{6}}(?P=dine)[0-9]{{4}})"
)

_OLDER_CARD = (
    r"(?:4[0-9]{12}|(?:2131|1800)[0-9]{11}"
    r"|(?:50(?:18|20|38)|5[678][0-9]{2}|6304|6759|676[1-3])[0-9]{8})"
)

# With blanks a group more may be another number: four groups are those of banks that have four.
_FOUR_GROUPS = (
    r"(?:[0-9]{4} [0-9]{4} [0-9]{2}|[0-9]{2} [0-9]{4} [0-9]{3}|[0-9]{6} [0-9]{2} [0-9]{3})"
)
_ACCOUNT = (
    r"(?:[0-9]{10,14}|[0-9]{2,6}(?: ?- ?[0-9]{1,8}){1,4}"
    rf"|[0-9]{{3}} {_FOUR_GROUPS}|[0-9]{{2,6}}(?: [0-9]{{2,8}}){{1,2}})"
)
_SAYS_ACCOUNT = re.compile(
    r"(?:은행|뱅크|계좌|금고|농협|수협|신협|우체국|[Aa]ccount)"
    r"(?:번호| [Nn]umber| [Nn]o\.?|[은는이가로에의을를]|[ :()\[\]=,./-]){0,6}\Z"
)
_BANK = r"(?:KB|NH|IBK|SC|KDB)?(?:국민|신한|우리|하나|기업|농협|씨티|산업|제일|부산|대구|광주|전북|경남|제주|토스)"
_AFTER_BANK = re.compile(rf"(?:{_BANK}|KB|NH|IBK|SC)[ :)\]]{{0,2}}\Z")
_BEFORE_BANK = re.compile(
    rf" ?[(\[,]? ?(?:{_BANK}(?:은행|뱅크)|(?:카카오|케이)뱅크|새마을금고|농협|수협|신협|우체국)"
)
_NEAR = 24
_SAYS_RESIDENT = re.compile(r"(?:주민|외국인)(?:등록)? ?번호[^0-9\n]{0,14}\Z")
_SAYS_BUSINESS = re.compile(r"사업자[^0-9\n]{0,14}\Z")
_SAYS_LICENCE = re.compile(r"면허[^0-9\n]{0,14}\Z")
_SAYS_PHONE = re.compile(
    r"(?:전화|연락처|휴대폰|핸드폰|팩스|문의|\b(?:phone|tele?(?:phone)?|call|text|fax|mobile|cell|number)\b)[^0-9\n]{0,14}\Z",
    re.IGNORECASE,
)
_SAYS_SSN = re.compile(r"(?:SSN|[Ss]ocial [Ss]ecurity)[^0-9\n]{0,14}\Z")


def _whole(match: _Match) -> int | None:
    return match.end()


def _digits(match: _Match) -> str:
    return "".join(character for character in match[0] if character.isdigit())


def _after(match: _Match, words: re.Pattern[str]) -> bool:
    """Whether the words stand right before what was found."""
    return words.search(match.string[max(0, match.start() - _NEAR) : match.start()]) is not None


def _after_words(words: re.Pattern[str]) -> Callable[[_Match], int | None]:
    return lambda match: match.end() if _after(match, words) else None


def _url(match: _Match) -> int | None:
    """Leaves off marks of the sentence, and brackets that are opened outside of the address."""
    found: str = match[0]
    while found and found[-1] in ".,;:!?'*)]_-~":
        opening = {")": "(", "]": "["}.get(found[-1])
        if opening and found.count(opening) >= found.count(found[-1]):
            break
        found = found[:-1]
    return match.start() + len(found)


def _ip4(match: _Match) -> int | None:
    parts = match[0].split(".")
    fits = all(int(part) < 256 and (part == "0" or part[0] != "0") for part in parts)
    return match.end() if fits and any(len(part) > 1 for part in parts) else None


def _ip6(match: _Match) -> int | None:
    """Takes no times, such as 12:30:45, and no names in C++, such as `std::vector`."""
    found: str = match[0]
    if found.endswith(":") and not found.endswith("::"):
        found = found[:-1]
    groups = [group for group in found.split(":") if group]
    if len(groups) < 2 or not any(character.isdigit() for character in found):
        return None
    try:
        IPv6Address(found)
    except AddressValueError:
        return None
    return match.start() + len(found)


def _abroad(match: _Match) -> int | None:
    """Leaves off groups beyond the longest number of the country: they are other numbers."""
    found: str = match[0]
    digits = _digits(match)
    most = max((n for code, n in _LONGEST.items() if digits.startswith(code)), default=15)
    most += "(0)" in found
    while sum(map(str.isdigit, found)) > most and (last := _LAST_GROUP.search(found)):
        found = found[: last.start()]
    return match.start() + len(found)


def _iban(match: _Match) -> int | None:
    """The longest part, in whole groups, whose remainder by 97 is 1 (ISO 13616)."""
    found: str = match[0]
    while len(found) >= 15:
        plain = found.replace(" ", "").replace("-", "")
        numbers = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
        if 15 <= len(plain) <= 34 and int(numbers) % 97 == 1:
            return match.start() + len(found)
        found = found[: max(found.rfind(" "), found.rfind("-"), 0)]
    return None


def _card(match: _Match) -> int | None:
    """Takes numbers whose last digit is right (Luhn, ISO/IEC 7812)."""
    numbers = [int(digit) for digit in reversed(_digits(match))]
    doubled = [sum(divmod(2 * number, 10)) for number in numbers[1::2]]
    varied = len(set(numbers)) > 1
    return match.end() if varied and (sum(numbers[::2]) + sum(doubled)) % 10 == 0 else None


def _resident(match: _Match) -> int | None:
    """Takes numbers that begin with a possible day of birth, or where the text says what they are.

    The seventh digit tells the century.
    """
    digits = _digits(match)
    year = int(digits[:2]) + (1900 if digits[6] in "1256" else 2000)
    month, day = int(digits[2:4]), int(digits[4:6])
    fits = 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    return match.end() if fits or _after(match, _SAYS_RESIDENT) else None


def _business(match: _Match) -> int | None:
    """Takes digits without gaps only with a valid last one, or where the text says what they are."""
    digits = [int(digit) for digit in _digits(match)]
    if len(match[0]) > len(digits) or _after(match, _SAYS_BUSINESS):
        return match.end()
    weights = (1, 3, 7, 1, 3, 7, 1, 3, 5)
    total = sum(digit * weight for digit, weight in zip(digits[:9], weights, strict=True))
    total += digits[8] * 5 // 10
    return match.end() if (total + digits[9]) % 10 == 0 else None


def _account(match: _Match) -> int | None:
    return match.end() if 10 <= len(_digits(match)) <= 14 and _after(match, _SAYS_ACCOUNT) else None


def _account_of_bank(match: _Match) -> int | None:
    beside = _after(match, _AFTER_BANK) or _BEFORE_BANK.match(match.string, match.end())
    return match.end() if 10 <= len(_digits(match)) <= 14 and beside else None


def _number(pattern: str) -> re.Pattern[str]:
    return re.compile(_LEFT + pattern + _RIGHT)


# What comes first keeps its place where two are found in one.
URL = Rule(
    "url",
    re.compile(
        r"(?<![0-9A-Za-z])(?:(?:https?|ftp)://|www\.)[0-9A-Za-z\[][!#-;=?-Z\[\]_a-z~]{1,2048}",
        re.IGNORECASE | re.ASCII,
    ),
    _url,
)
EMAIL = Rule(
    "email",
    re.compile(
        r"(?<![0-9A-Za-z])[0-9A-Za-z_][0-9A-Za-z._%+-]{0,63}(?P<gap> ?)@(?P=gap)"
        r"(?:[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.){1,8}[A-Za-z]{2,24}(?![0-9A-Za-z])"
    ),
    _whole,
)
ADDRESSES = (URL, EMAIL)
IP4 = Rule(
    "ip_address",
    re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z])(?!\.[0-9])"),
    _ip4,
)
IP6 = Rule(
    "ip_address",
    re.compile(r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:])"),
    _ip6,
)
NETWORK = (IP4, IP6)
LETTERED = (
    Rule(
        "iban",
        re.compile(
            r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?:[ -]?[0-9A-Z]{4}){2,7}(?:[ -]?[0-9A-Z]{1,3})?(?![0-9A-Za-z])"
        ),
        _iban,
    ),
    Rule(
        "passport",
        re.compile(r"(?<![0-9A-Za-z])[DGMORS][0-9]{3}[A-Z][0-9]{4}(?![0-9A-Za-z])"),
        _whole,
    ),
)
NUMBERS = (
    Rule("phone", _number(_MOBILE), _whole),
    Rule("phone", _number(_ABROAD), _abroad),
    Rule("bank_account", _number(_ACCOUNT), _account),
    Rule("card", _number(_CARD), _card),
    Rule("resident_number", _number(rf"[0-9]{{6}}{_ANY}[1-8][0-9]{{6}}"), _resident),
    Rule("card", _number(_OLDER_CARD), _card),
    Rule("driver_licence", _number(_DRIVER), _whole),
    Rule("driver_licence", _number(r"(?:1[1-9]|2[0-8])[0-9]{10}"), _after_words(_SAYS_LICENCE)),
    Rule(
        "us_ssn",
        _number(
            rf"(?!000|666|9)[0-9]{{3}}(?P<gap>{_GAP})(?!00)[0-9]{{2}}(?P=gap)(?!0000)[0-9]{{4}}"
        ),
        _whole,
    ),
    Rule("us_ssn", _number(r"(?!000|666|9)[0-9]{9}"), _after_words(_SAYS_SSN)),
    Rule(
        "business_number",
        _number(rf"[1-9][0-9]{{2}}(?P<gap>{_ANY})[0-9]{{2}}(?P=gap)[0-9]{{5}}"),
        _business,
    ),
    Rule("phone", _number(f"(?:{_LANDLINE}|{_TRUNK}|{_AMERICAN})"), _whole),
    Rule("phone", _number(_WITHOUT_GAPS), _after_words(_SAYS_PHONE)),
    Rule("passport", _number(r"[DGMORS][ -]?[0-9]{8}"), _whole),
    Rule("bank_account", _number(_ACCOUNT), _account_of_bank),
)
KINDS = tuple(dict.fromkeys(rule.kind for rule in (*ADDRESSES, *NUMBERS, *LETTERED, *NETWORK)))
"""Resident numbers are those of Korean citizens and of foreigners in Korea; business numbers, passports,
driver's licences and bank accounts are Korean ones."""
