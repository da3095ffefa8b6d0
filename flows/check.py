"""Check that a build could start, without building anything.

modelyard check [key=value …] [--profile NAME]
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.planning.checks import NEEDED_BYTES, PACKAGES, check_disk, check_git, check_packages
from flows.planning.dag import load_dag
from flows.planning.snapshot import hash_sources
from pipeline.core.errors import DataError
from pipeline.core.params import Params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths


def checked(root: Path, *, changes: Sequence[str]) -> Iterator[str]:
    """Yields one line for each check that passes, in the order in which a build needs them.

    Raises:
        PipelineError: a check fails; it is the first one.
    """
    check_git(root)
    yield "git          a repository with a commit"
    check_packages(PACKAGES)
    yield f"packages     {len(PACKAGES)} of {len(PACKAGES)} installed"
    check_disk(root, needed=NEEDED_BYTES)
    yield f"disk         {NEEDED_BYTES / 1e9:g} GB are free"
    yield f"dvc.yaml     {len(load_dag(Paths(root).dag).names)} stages"
    values = parse_yaml(Paths(root).params.read_text(encoding="utf-8"))
    params = parse_params(override(values, changes))
    yield f"parameters   valid, product {params.product.name}"
    check_sources(root, params)
    yield f"data         {len(params.collect.sources)} sources, hashes as pinned"


def check_sources(root: Path, params: Params) -> None:
    """Checks that every source is there and has the bytes that its `sha256` names.

    Raises:
        DataError: one is missing, or has other bytes.
    """
    found = hash_sources(root, params)
    for source in params.collect.sources:
        if source.sha256 is not None and source.sha256 != found[source.name]:
            raise DataError(
                f"source {source.name} has the hash {found[source.name]}",
                expected=f"{source.sha256}, as collect.sources pins it",
                next_step="bring the old file back, or pin the new hash in params.yaml",
            )
