"""Korean particles and forms of the copula, which follow the last sound of the word before them.

After a final consonant 은, 이, 을, 과, 으로; after a vowel 는, 가, 를, 와, 로. After a final ㄹ it is 로
(National Institute of Korean Language, Hangul Matchumbeop).
"""

import re

_FIRST, _LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8

# After a consonant → after a vowel. The first stand alone, the second also before another ending.
_ALONE = {
    "은": "는",
    "이": "가",
    "을": "를",
    "이나": "나",
    "이며": "며",
    "이고": "고",
    "이다": "다",
    "이야": "야",
    "이란": "란",
    "이지만": "지만",
    "이든": "든",
}
_BEFORE_MORE = {
    "이에요": "예요",
    "이었": "였",
    "이라": "라",
    "이랑": "랑",
    "으로": "로",
    "과": "와",
}
_TO = "으로"

_CASES = (
    "에게서|에게|한테서|한테|께서|께|에서|에|의|도|만|부터|까지|처럼|같이|보다|마다|조차|마저|밖에|대로|만큼|뿐|하고"
    "|으로서|로서|으로써|로써|으로|로|이랑|랑|과|와"
)
_ONLY = "은|는|이|가|을|를|이나|나|이며|며|이란|란|이든지?|든지?"
_COPULA = (
    r"이?다|이?고|이?지만|이?야|이에요|예요|입니다|입니까|인|인데|인가|일|임|이자|이었[가-힣]*|였[가-힣]*"
    r"|이?라(?:도|고|는|며|면|서|니|지만)?|이기[가-힣]*|이지|이니|이니까"
)
ENDINGS = re.compile(
    rf"(?:들?(?:(?:{_CASES})(?:은|는|도|만|의|을|를|이|가|요)?|{_ONLY}|{_COPULA})?)"
)
"""All that may follow a noun as its ending, plural included; also nothing."""


def fitted(ending: str, word: str) -> str:
    """The ending in the form that it has after the word; as it is where the word does not end in Hangul.

    Args:
        ending: particles or copula, such as `은` or `이었다`; those of a plural (`들은`) stay.
    """
    code = ord(word[-1])
    if not _FIRST <= code <= _LAST:
        return ending
    final = (code - _FIRST) % _FINALS
    for closed, open_ in [*_ALONE.items(), *_BEFORE_MORE.items()]:
        takes_closed = final != 0 and not (closed == _TO and final == _RIEUL)
        wanted, other = (closed, open_) if takes_closed else (open_, closed)
        if ending == other or (closed in _BEFORE_MORE and ending.startswith(other)):
            return wanted + ending[len(other) :]
    return ending
