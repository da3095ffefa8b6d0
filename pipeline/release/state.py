"""The files below `.modelyard/` in which a product's releases keep their state.

Each product has a folder of its own, named after it, so that the small product of `make quickstart`
changes neither pointer nor server nor ledger of another.

Imports little: `make pipeline` asks which release is current before anything heavy is imported.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import ReleaseError
from pipeline.core.files import read_json, sync, write_json
from pipeline.core.names import PRODUCT_NAME_RULE, is_product_name
from pipeline.core.paths import Paths
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.release.durable import Write, durable


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A promotion that is under way, as versions before the signed ledger wrote it down.

    Attributes:
        hash: bundle that the pointer named; None if there was none.
        failed: bundle that is being promoted, and has failed if this is ever read back.
        champion: version that had the alias; None if none had.
        server: pid of the server that ran; None if none did.
    """

    hash: str | None
    failed: str
    champion: str | None
    server: int | None


class ReleaseState:
    """The files of one product's releases, below the project's folder `root`.

    Attributes:
        releases: one folder for each bundle hash. Only these copies are ever served.
        pointer: names the bundle to serve; the server follows this file.
        candidate: names the bundle to try beside it, as a `Candidacy`; the server follows it, too.
        pairs: what was found out about candidates; see `PairLog`.
        server: the process that serves, and its address; see `ServerProcess`.
        journal: holds a `Promotion`. It is left behind only by a kill.
    """

    def __init__(self, root: Path, product: str) -> None:
        if not is_product_name(product):
            raise ReleaseError(
                f"{product!r} as the name of a product",
                expected=PRODUCT_NAME_RULE,
                next_step="name a product as its product file does",
            )
        self.root, self.product = root, product
        self.folder = Paths(root).state / "products" / product
        self.releases, self.logs = self.folder / "releases", self.folder / "logs"
        self.pointer = self.folder / "current.json"
        self.pointer_before = self.folder / "current.before.json"
        self.candidate = self.folder / "candidate.json"
        self.pairs = self.folder / "shadow"
        self.server = self.folder / "server.json"
        self.registry = self.folder / "registry.json"
        self.ledger = self.folder / "ledger.jsonl"
        self.head = self.folder / "ledger.head.json"
        self.public_key = self.folder / "ledger.pub"
        self.journal = self.folder / "promotion.json"

    def release(self, bundle_hash: str) -> Path:
        return self.releases / bundle_hash

    def origin(self, bundle_hash: str) -> Path:
        """Sources and parameters that the bundle was built from; lies beside its copy."""
        return self.releases / f"{bundle_hash}.origin.json"

    def rows(self, bundle_hash: str) -> Path:
        """The rows that the bundle was trained on; lies beside its copy."""
        return self.releases / f"{bundle_hash}.rows.json"

    def current(self) -> str | None:
        """The hash of the bundle that the pointer names; None before the first release."""
        return str(read_json(self.pointer)["bundle"]) if self.pointer.exists() else None

    def point_to(self, bundle_hash: str) -> None:
        """Moves the pointer in one step and syncs it to the disk.

        The old one stays beside it under another name, so that it can come back on a full disk.
        """
        with durable(Write.POINTER_BEFORE):
            self.pointer_before.unlink(missing_ok=True)
            if self.pointer.exists():
                self.pointer_before.hardlink_to(self.pointer)
        folder = self.release(bundle_hash).relative_to(self.folder).as_posix()
        with durable(Write.POINTER):
            write_json(self.pointer, {"bundle": bundle_hash, "folder": folder})

    def point_back_to(self, bundle_hash: str | None) -> None:
        """Moves the pointer to what it named before; None removes it."""
        kept = self.optional(self.pointer_before)
        if bundle_hash is None:
            with durable(Write.POINTER):
                self.pointer.unlink(missing_ok=True)
                sync(self.folder)
        elif kept is not None and kept["bundle"] == bundle_hash:
            with durable(Write.POINTER):
                self.pointer_before.replace(self.pointer)
                sync(self.folder)
        else:
            self.point_to(bundle_hash)

    def optional(self, path: Path) -> Any:
        """The content of one of these JSON files; None if it does not exist."""
        return read_json(path) if path.exists() else None

    def older_promotion(self) -> Promotion | None:
        """The promotion in an older version's journal; None if there is no journal."""
        value = self.optional(self.journal)
        try:
            return None if value is None else read_as(Promotion, value)
        except MismatchError as error:
            raise ReleaseError(
                f"{self.journal} with {error}",
                expected="what a release wrote, never edited by hand",
                next_step="restore the file from a backup, or delete it and release again",
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Allows one release of the product at a time. A kill frees the lock too."""
        # Here, because it imports asyncio, and reading the state needs no lock.
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(self.folder / "release.lock", blocking=False).acquire()
        except Timeout as error:
            raise ReleaseError(
                f"another release of {self.product} is under way",
                expected="one release at a time",
                next_step="wait until it has ended, then run the same command again",
            ) from error
        with held:
            yield


def all_states(root: Path) -> list[ReleaseState]:
    """The states of all products that were ever released here, sorted by name."""
    folders = (Paths(root).state / "products").glob("*/")
    names = sorted(folder.name for folder in folders if is_product_name(folder.name))
    return [ReleaseState(root, name) for name in names]
