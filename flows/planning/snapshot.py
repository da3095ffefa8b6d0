"""The origin of a model, as hashes: sources, annotations, parameters, code.

Two builds of the same origin give the same model, so a retrain compares origins before it builds
anything. The pins that a retrain itself writes into the parameters do not count.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.planning.codelock import compute_code_lock
from pipeline.core.artifacts.data_reports import Manifest
from pipeline.core.errors import DataError
from pipeline.core.files import sha256_json, sha256_tree, write_json
from pipeline.core.packages import locate
from pipeline.core.params import Params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.sections import Source


@dataclass(frozen=True)
class Snapshot:
    """The data at one moment: source → SHA-256 of its file; SHA-256 of the annotations' folder."""

    sources: dict[str, str]
    annotations: str | None

    @property
    def digest(self) -> str:
        """Hash of the snapshot, which is also the name of its file."""
        return sha256_json(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Origin:
    """All that a model is built from: a snapshot, the parameters without pins, stages' code."""

    sources: dict[str, str]
    annotations: str | None
    params: str
    code: dict[str, str]


def take_snapshot(root: Path, params: Params) -> Snapshot:
    """Hashes every source and the annotations as they are now; saved in `.modelyard/snapshots/`."""
    sources = hash_sources(root, params.collect.sources)
    snapshot = Snapshot(sources, _annotations(root))
    write_json(Paths(root).state / "snapshots" / f"{snapshot.digest}.json", asdict(snapshot))
    return snapshot


def hash_sources(root: Path, sources: Iterable[Source]) -> dict[str, str]:
    """Name of each source → SHA-256 of its file; raises DataError where that is missing."""
    hashes = {}
    for source in sources:
        if source.kind == "package":
            path = locate(str(source.package), source.path)
        else:
            path = Paths(root).data / source.path
        if not path.exists():
            raise DataError(
                f"source {source.name}: {path} is not there",
                expected="a file for every source that the product file names",
                next_step="run `modelyard data fetch`"
                if source.url
                else "bring the file back, or correct its `path` under `sources`",
            )
        hashes[source.name] = sha256_tree(path)
    return hashes


def pinned(params: Params, snapshot: Snapshot) -> Params:
    """The parameters with each source pinned to the snapshot: other bytes stop the build."""
    sources = [
        source.model_copy(update={"sha256": snapshot.sources[source.name]})
        for source in params.collect.sources
    ]
    collect = params.collect.model_copy(update={"sources": sources})
    return params.model_copy(update={"collect": collect})


def planned_origin(workspace: Path, snapshot: Snapshot) -> Origin:
    """The origin that a build in `workspace` from this snapshot would have."""
    return Origin(
        sources=snapshot.sources,
        annotations=snapshot.annotations,
        params=_params(workspace),
        code=compute_code_lock(workspace),
    )


def built_origin(workspace: Path) -> Origin:
    """The origin of the build in `workspace`; its sources are those that collect read."""
    sources = {source.name: source.sha256 for source in Manifest.read(Paths(workspace)).sources}
    return planned_origin(workspace, Snapshot(sources, _annotations(workspace)))


def changed_parts(old: Origin, new: Origin) -> list[str]:
    """Names of the parts in which two origins differ, sorted."""
    before, after = asdict(old), asdict(new)
    return sorted(part for part in after if before[part] != after[part])


def _params(workspace: Path) -> str:
    values = parse_yaml(Paths(workspace).build.read_text(encoding="utf-8"))
    for source in values["collect"]["sources"]:
        # The bytes themselves are compared: whether a file names their hash changes nothing.
        source.pop("sha256", None)
    return sha256_json(values)


def _annotations(workspace: Path) -> str | None:
    folder = Paths(workspace).annotations
    return sha256_tree(folder) if folder.is_dir() else None
