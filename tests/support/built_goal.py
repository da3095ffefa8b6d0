"""Writes what a build leaves that tells how many labels are needed: 300 rows had one, and 600 more are needed."""

import json
from pathlib import Path
from typing import Any

from tests.support.labelling import make_project

OUTLOOK = {
    "train_rows": 240,
    "measured": [],
    "ceiling": 0.9,
    "loss": 1.0,
    "rate": 0.5,
    "after_twice": 0.8,
    "after_twice_interval": [0.7, 0.9],
    "more_labels": 600,
    "at_least": 400,
    "at_most": 1000,
}
VERDICT = {
    "verdict": "not yet: 600 more labels (400–1,000)",
    "worth_a_model": True,
    "best": "baseline",
    "quality_metric": "accuracy",
    "gain_over_majority": 0.2,
    "reason": "",
    "quality": {},
    "regularisation": {},
    "rule": None,
    "outlook": OUTLOOK,
    "noise_ceiling": None,
}


def built(root: Path, **outlook: Any) -> Path:
    """Writes a project with a build; a key of the outlook may have another value, or `none=True` leaves it out."""
    make_project(root, ["text"])
    values = VERDICT | {"outlook": OUTLOOK | outlook if outlook != {"none": True} else None}
    for name, value in (("baseline/verdict.json", values), ("label/metrics.json", {"rows": 300})):
        path = root / "artifacts" / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    return root
