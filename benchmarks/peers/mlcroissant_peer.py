"""The reference reader of Croissant in an environment of its own: it validates a description and reads its rows.

    python -m benchmarks.peers.mlcroissant_peer CROISSANT.json ROWS.json

ROWS.json gets a list of `[id, text, label]`, one entry a row, in the order of the file.
"""

import argparse
import json
from pathlib import Path


def main() -> None:
    """Command line; an invalid description ends it with the errors."""
    import mlcroissant  # type: ignore[import-not-found]

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("description", type=Path)
    parser.add_argument("rows", type=Path)
    arguments = parser.parse_args()
    dataset = mlcroissant.Dataset(jsonld=str(arguments.description))
    names = [f"records/{column}" for column in ("id", "text", "label")]
    rows = [
        [row[name].decode("utf-8") for name in names]
        for row in dataset.records(record_set="records")
    ]
    arguments.rows.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
