"""Where the releases of a product keep their state below `.modelyard/`, and the pointer to what is served.

Each product has a folder of its own, named after it: releasing the small product of `make quickstart`
moves neither pointer nor server nor ledger of another.

Light on purpose: `make pipeline` asks which release is current before anything heavy is imported.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import ReleaseError
from pipeline.core.files import read_json, sync, write_json
from pipeline.core.paths import Paths


@dataclass(frozen=True)
class ReleaseState:
    """The files of one product's releases.

    Attributes:
        root: the project's folder.
        product: its name, as `product.name` and a bundle's description give it.
    """

    root: Path
    product: str

    @property
    def folder(self) -> Path:
        return _products(self.root) / self.product

    @property
    def releases(self) -> Path:
        """One folder a bundle hash; only these copies are ever served."""
        return self.folder / "releases"

    @property
    def pointer(self) -> Path:
        """Names the bundle that the server serves; the server follows it."""
        return self.folder / "current.json"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    @property
    def server(self) -> Path:
        """Which process serves, and where."""
        return self.folder / "server.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def journal(self) -> Path:
        """What stood before a promotion that is not yet verified; left behind only by a kill."""
        return self.folder / "promotion.json"

    def release(self, bundle_hash: str) -> Path:
        return self.releases / bundle_hash

    def origin(self, bundle_hash: str) -> Path:
        """Beside the copy: what it was built from."""
        return self.releases / f"{bundle_hash}.origin.json"

    def rows(self, bundle_hash: str) -> Path:
        """Beside the copy: the rows that it was trained on."""
        return self.releases / f"{bundle_hash}.rows.json"

    def current(self) -> str | None:
        """Hash of the bundle that the pointer names, or None."""
        return str(read_json(self.pointer)["bundle"]) if self.pointer.exists() else None

    def point_to(self, bundle_hash: str | None) -> None:
        """Move the pointer, at once and for good; None takes it away."""
        if bundle_hash is None:
            self.pointer.unlink(missing_ok=True)
            sync(self.folder)
            return
        folder = self.release(bundle_hash).relative_to(self.folder).as_posix()
        write_json(self.pointer, {"bundle": bundle_hash, "folder": folder})

    def optional(self, path: Path) -> Any:
        """The content of one of these JSON files, or None where there is none."""
        return read_json(path) if path.exists() else None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One release at a time; the lock ends with its process, however that ends.

        Raises:
            ReleaseError: another release is under way.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "release.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ReleaseError(
                    f"another release of {self.product} is under way",
                    expected="one release at a time",
                    next_step="wait until it has ended, then run the same command again",
                ) from error
            yield


def all_states(root: Path) -> list[ReleaseState]:
    """One for each product that was ever released here, by name."""
    return [ReleaseState(root, folder.name) for folder in sorted(_products(root).glob("*/"))]


def _products(root: Path) -> Path:
    return Paths(root=root).state / "products"
