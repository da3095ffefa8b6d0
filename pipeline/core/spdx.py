"""Reads and judges licences as SPDX writes them: `MIT`, `MIT AND CC-BY-4.0`, `GPL-2.0-only WITH Classpath-exception-2.0`.

`license-expression` knows the identifiers. It is imported at the first licence that is not one of the list it
is compared with, letter by letter: most products have none, and a server none at all.
"""

import difflib
import re
from collections.abc import Sequence, Set
from functools import cache
from typing import Any

_OWN_REFERENCE = re.compile(r"(?:DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+\Z", re.ASCII)
"""How SPDX names a licence that is on no list, such as a contract."""


def is_covered(licence: str, allowed: Sequence[str]) -> bool:
    """Whether every part of an SPDX expression is among the allowed ones.

    Of `A AND B` both must be, of `A OR B` one. An exception (`A WITH B`) only adds permissions, so `A` is
    enough, as it is for `A` or a later version. What is no SPDX expression must be among them as it is.
    """
    if licence in allowed:
        return True
    expression = _parsed(licence)
    if expression is None or _faults(expression, likely=()):
        return False
    known = {str(found) for entry in allowed if (found := _parsed(entry)) is not None}
    return str(expression) in known or _is_covered(expression, known)


def licence_fault(licence: str, *, likely: Sequence[str]) -> str | None:
    """The fault of an SPDX expression, in words; None where it is one.

    Args:
        likely: identifiers that are looked at first for the one that was meant.
    """
    expression = _parsed(licence)
    if expression is None:
        return f"{licence!r} is no SPDX expression, such as `MIT` or `MIT AND CC-BY-4.0`"
    return next(iter(_faults(expression, likely=likely)), None)


def _is_covered(expression: Any, allowed: Set[str]) -> bool:
    from license_expression import AND, OR, LicenseWithExceptionSymbol

    if isinstance(expression, AND | OR):
        judged = all if isinstance(expression, AND) else any
        return judged(_is_covered(part, allowed) for part in expression.args)
    if isinstance(expression, LicenseWithExceptionSymbol):
        return str(expression) in allowed or _is_covered(expression.license_symbol, allowed)
    name = str(expression)
    this_version = name.removesuffix("+"), re.sub(r"-or-later\Z", "-only", name)
    return not allowed.isdisjoint({name, *this_version})


def _faults(expression: Any, *, likely: Sequence[str]) -> list[str]:
    """One sentence for each identifier that SPDX does not know, or that stands in the wrong place."""
    from license_expression import LicenseWithExceptionSymbol

    faults = []
    for symbol in sorted(expression.symbols, key=str):
        pair = isinstance(symbol, LicenseWithExceptionSymbol)
        licence = symbol.license_symbol if pair else symbol
        faults += _fault_of(licence, is_exception=False, likely=likely)
        if pair:
            faults += _fault_of(symbol.exception_symbol, is_exception=True, likely=())
    return faults


def _fault_of(symbol: Any, *, is_exception: bool, likely: Sequence[str]) -> list[str]:
    name = symbol.key.removesuffix("+")
    if _OWN_REFERENCE.match(name) and not is_exception:
        return []
    known = _known().known_symbols.get(name)
    if known is not None and known.is_exception == is_exception:
        return []
    if known is not None:
        place = "behind WITH" if known.is_exception else "as a licence, not behind WITH"
        return [f"{name!r} may only stand {place}"]
    near = _nearest(name, is_exception=is_exception, likely=likely)
    what = "exception" if is_exception else "identifier"
    return [f"{name!r} is no SPDX {what}" + (f": did you mean {near}?" if near else "")]


def _nearest(name: str, *, is_exception: bool, likely: Sequence[str]) -> str | None:
    """The identifier that was meant: a likely one, or one that begins so, or one that looks like it."""
    symbols = _known().known_symbols.values()
    every: dict[str, str] = {
        symbol.key.lower(): symbol.key for symbol in symbols if symbol.is_exception == is_exception
    }
    given = name.lower().replace(" ", "-")
    near = difflib.get_close_matches(given, {key.lower(): key for key in likely}, n=1, cutoff=0.55)
    longer = sorted((key for key in every if key.startswith(f"{given}-")), key=len)
    near += longer[:1] or difflib.get_close_matches(given, every, n=1, cutoff=0.6)
    return every.get(near[0]) if near else None


def _parsed(licence: str) -> Any:
    """The expression in canonical spelling and order; None where the text is not built as one."""
    from license_expression import ExpressionError

    try:
        expression = _known().parse(licence)
    except (ExpressionError, RecursionError):
        return None
    return None if expression is None else expression.simplify()


@cache
def _known() -> Any:
    """The identifiers of SPDX, without the names that others made up for licences of their own."""
    from license_expression import LicenseSymbol, Licensing, get_spdx_licensing

    return Licensing(
        LicenseSymbol(
            symbol.key,
            aliases=[alias for alias in symbol.aliases if not alias.startswith("LicenseRef-")],
            is_exception=symbol.is_exception,
        )
        for symbol in get_spdx_licensing().known_symbols.values()
        if not symbol.key.startswith("LicenseRef-")
    )
