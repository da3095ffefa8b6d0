"""Brings a former bundle back, within a second: asks neither MLflow nor Prefect, and imports little.

    modelyard rollback [--to HASH] [--why TEXT]

The transaction is pipeline/release/rollout.py.
"""

from pathlib import Path

from pipeline.core.errors import ReleaseError
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.release.rollout import ReleaseResult, Rollout
from pipeline.release.state import all_states


def roll_back(
    root: Path, product: str, *, to: str = "", why: str, port: int | None = None
) -> ReleaseResult:
    """Brings a former bundle back and says where it answers; then MLflow is told.

    Args:
        to: beginning of its hash; empty for the one that served before the current one.
        port: where a server should listen, if none runs; None: where the last one did.
    """
    rollout = Rollout(root.resolve(), product)
    result = rollout.roll_back(to, why=why, port=port)
    say(f"{result.name}: {result.outcome}. {result.address}/")
    rollout.register()
    return result


def product_in_production(root: Path, given: str) -> str:
    """Name of the product that is meant by a product file or by its name; of "", the user's.

    Of a file it reads the name alone, so that no wrong key of it, or of params.yaml, stops a rollback.
    Where no file says it, it is the one product that was ever released here.
    """
    if given and not (root / given).is_file():
        return given
    for file in [root / given] if given else [Paths(root).product, Paths(root).demonstration]:
        if (name := _name_in(file)) is not None:
            return name
    released = [state.product for state in all_states(root) if state.current()]
    if len(released) == 1:
        return released[0]
    raise ReleaseError(
        f"{len(released)} released products and no file that names one",
        expected="the name of one product",
        next_step=f"add --product NAME, one of: {', '.join(released) or '(none is released)'}",
    )


def _name_in(file: Path) -> str | None:
    """The product's name in a product file, whatever else it holds; None where it has none."""
    import yaml

    try:
        name = yaml.safe_load(file.read_text(encoding="utf-8"))["product"]["name"]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return None
    return name if isinstance(name, str) else None
