"""Finds files inside installed Python packages without importing them.

Importing a data package may load pandas or run its code; the metadata of the installation say
where its files are.
"""

import importlib.metadata
import importlib.util
from pathlib import Path, PurePosixPath

from pipeline.core.errors import DataError


def locate(package: str, path: str) -> Path:
    """The file or folder at `path` (from the package's install root) of distribution `package`.

    Raises:
        DataError: the package is not installed, `path` leaves it, or does not exist.
    """
    distribution = _distribution(package)
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts:
        raise DataError(
            f"path {path!r} of package {package}",
            expected="a path inside the package, without `..`",
            next_step="correct the path where it is named: the product file, or params.yaml",
        )
    roots = [Path(str(distribution.locate_file("")))]
    # Editable installs keep a package elsewhere, where an import finds it.
    spec = importlib.util.find_spec(relative.parts[0])
    if spec is not None and spec.submodule_search_locations:
        roots.append(Path(spec.submodule_search_locations[0]).parent)
    for root in roots:
        if (root / relative).exists():
            return root / relative
    raise DataError(
        f"package {package} {distribution.version} has no {path}",
        expected="a file or folder that the package installed",
        next_step=f"list its files with `pip show --files {package}` and correct the path where it is named",
    )


def _distribution(package: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            f"package {package} is not installed",
            expected="every package that the product file and params.yaml name; those of the "
            "demonstration product are in the extra `demo`",
            next_step=f"run `make install`; for your own: `.venv/bin/pip install {package}`",
        ) from error
