"""Whether the reference reader of Croissant accepts what validate wrote, and reads the same rows from it."""

import json
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.support.command_line import built_file
from benchmarks.support.peers import Peer


def measure() -> dict[str, float]:
    """Rows of a build, and how many of them the reader gives otherwise, a missing row being one.

    Raises:
        DataError: nothing was built here yet.
        PeerError: the reader finds the description invalid, or cannot be installed.
    """
    description = built_file(Path.cwd(), "validate/croissant.json")
    table = pq.read_table(description.with_name("records.parquet"), columns=["id", "text", "label"])
    wanted = [[*row.values()] for row in table.to_pylist()]
    peer = Peer(Path.cwd(), "mlcroissant")
    peer.install()
    with tempfile.TemporaryDirectory(prefix="modelyard-croissant-") as folder:
        rows = Path(folder) / "rows.json"
        peer.run(description, rows)
        found = json.loads(rows.read_text(encoding="utf-8"))
    differing = sum(one != other for one, other in zip(found, wanted, strict=False))
    return {
        "rows": float(len(wanted)),
        "differing": float(differing + abs(len(found) - len(wanted))),
    }
