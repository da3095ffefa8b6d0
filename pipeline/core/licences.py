"""Which licences a product may use without a reason of its own."""

from pipeline.core.product import Requirements

_OWN = "own"
"""The licence of texts and weights that are the user's own; allowed in every product."""


def is_allowed(licence: str, requirements: Requirements) -> bool:
    """Whether content under this licence needs no waiver."""
    return licence == _OWN or licence in requirements.allowed_licences
