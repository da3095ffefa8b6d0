"""Which licences a product may use without a reason of its own."""

from pipeline.core.product import Requirements
from pipeline.core.spdx import is_covered, licence_fault

_OWN = "own"
"""The licence of texts and weights that are the user's own; allowed in every product."""
_UNKNOWN = "unknown"


def is_allowed(licence: str, requirements: Requirements) -> bool:
    """Whether content under this licence, an SPDX expression, needs no waiver."""
    return licence == _OWN or is_covered(licence, requirements.allowed_licences)


def misspelling(licence: str, requirements: Requirements) -> str | None:
    """The fault in the spelling of a licence, in words; None where it is `unknown` or SPDX."""
    if licence in (_OWN, _UNKNOWN):
        return None
    return licence_fault(licence, likely=requirements.allowed_licences)
