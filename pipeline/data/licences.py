"""Checks the licence of a source or checkpoint: it is allowed, or there is a waiver."""

from collections.abc import Collection, Mapping

from pipeline.core.errors import DataError


def waiver(
    name: str, licence: str, *, allowed: Collection[str], waivers: Mapping[str, str]
) -> str | None:
    """The reason of the waiver for `name`; None where its licence is allowed.

    Raises:
        DataError: the licence is not allowed and there is no waiver for `name`.
    """
    if licence in allowed:
        return None
    if reason := waivers.get(name, "").strip():
        return reason
    raise DataError(
        f"{name} has the licence {licence!r}",
        expected=f"one of {', '.join(allowed) or '(none)'}, or a waiver",
        next_step=f"use another source, or write the reason for using it as "
        f"product.requirements.licence_waivers.{name} in params.yaml",
    )
