"""Release an earlier bundle again: the one that served before, or one named by its hash.

    modelyard rollback                  # what served before the current release
    modelyard rollback 3f2a91           # a former release, by the first characters of its hash

The copies of former releases are kept in `.modelyard/products/<name>/releases/`. It is a release
like any other: verified, and undone where the old bundle does not work.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.release import release_bundle
from pipeline.core.errors import ReleaseError
from pipeline.release import ledger
from pipeline.release.state import ReleaseState

if TYPE_CHECKING:
    from pipeline.release.rollout import ReleaseResult


def roll_back(root: Path, product: str, *, to: str | None) -> "ReleaseResult":
    """Releases a former bundle of the product.

    Args:
        to: first characters of its hash; None is the one that served before the current one.

    Raises:
        ReleaseError: there is no such former release, or it does not work any more.
    """
    state = ReleaseState(root, product)
    bundle_hash = previous_release(state) if to is None else find_release(state, to)
    return release_bundle(
        root=root, bundle=state.release(bundle_hash), mlflow_run_id=None, why="rolled back by hand"
    )


def previous_release(state: ReleaseState) -> str:
    """Hash of the bundle that served before the current one.

    Raises:
        ReleaseError: there was none.
    """
    current = state.current()
    for entry in reversed(ledger.read(state.ledger)):
        if entry.event == "promoted" and entry.hash == current and entry.previous:
            return entry.previous
    raise ReleaseError(
        f"no release of {state.product} before the current one",
        expected="a former release to go back to",
        next_step="name one: `modelyard rollback HASH`; the folders in "
        f"{state.releases.relative_to(state.root)} are the hashes",
    )


def find_release(state: ReleaseState, beginning: str) -> str:
    """Hash of the one former release that begins so.

    Raises:
        ReleaseError: none does, or several do.
    """
    known = sorted(folder.name for folder in state.releases.glob("*/"))
    found = [name for name in known if name.startswith(beginning)]
    if len(found) != 1:
        raise ReleaseError(
            f"{len(found)} releases of {state.product} whose hash begins with {beginning!r}",
            expected=f"one of: {', '.join(name[:12] for name in known) or '(none is kept)'}",
            next_step="name one of these, with more characters where several begin alike",
        )
    return found[0]
