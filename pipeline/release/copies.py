"""The verified copies of bundles. Only these copies are ever served."""

import shutil
from pathlib import Path

from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.files import atomic_folder
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import Bundle, open_bundle


def bundle_product(folder: Path) -> str:
    """The name of the product that a bundle was built for.

    Raises:
        ArtifactError: the bundle is not what its manifest says.
    """
    return open_bundle(folder).description.product


def copy_bundle(state: ReleaseState, folder: Path) -> Bundle:
    """Copies a bundle into the folder of its product and returns the verified copy.

    Raises:
        ArtifactError: the bundle, or the copy, is not what its manifest says.
        ReleaseError: it is a bundle of another product.
    """
    bundle = open_bundle(folder)
    if (product := bundle.description.product) != state.product:
        raise ReleaseError(
            f"a bundle of the product {product}",
            expected=f"one of {state.product}, whose pointer, server and ledger these are",
            next_step="release it under its own product's name",
        )
    target = state.release(bundle.hash)
    if not _is_whole(target, bundle.hash):
        with atomic_folder(target) as temporary:
            shutil.copytree(folder, temporary, dirs_exist_ok=True)
            open_bundle(temporary)
    return open_bundle(target)


def _is_whole(folder: Path, bundle_hash: str) -> bool:
    try:
        return open_bundle(folder).hash == bundle_hash
    except (PipelineError, OSError):
        return False
