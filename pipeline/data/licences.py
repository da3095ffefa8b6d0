"""May this source or checkpoint be used? Its licence is allowed, or someone waived it by name."""

from collections.abc import Collection, Mapping

from pipeline.core.errors import DataError


def waiver(
    name: str, licence: str, *, allowed: Collection[str], waivers: Mapping[str, str]
) -> str | None:
    """Why `name` may be used although its licence is not allowed; None when it is.

    Raises:
        DataError: the licence is neither allowed nor waived by name.
    """
    if licence in allowed:
        return None
    if reason := waivers.get(name, "").strip():
        return reason
    raise DataError(
        f"{name} has the licence {licence!r}",
        expected=f"one of {', '.join(allowed) or '(none)'}, or a waiver",
        next_step=f"use another source, or write why under "
        f"product.requirements.licence_waivers.{name} in params.yaml",
    )
