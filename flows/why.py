"""Say why the last retrainings ran, what had changed, and how they ended; failed ones too.

    modelyard why [N] [--product FILE]     # the last five, or N; newest first
    modelyard why 100 --json

What a run was, and when it was, comes from the records that retrainings leave (flows/tracking/runs.py).
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from pathlib import Path

from flows.tracking.runs import RunRecord, read_runs
from pipeline.core.errors import PipelineError

_WIDTH = 100


def last_runs(root: Path, *, count: int, product: str = "") -> list[RunRecord]:
    """The last runs, newest first, of one product if it is given."""
    if count < 1:
        raise PipelineError(
            f"{count} runs", expected="at least 1", next_step="say how many: `modelyard why 10`"
        )
    runs = (run for run in read_runs(root) if product in ("", run.product))
    return list(islice(runs, count))


def as_json(runs: Sequence[RunRecord]) -> str:
    """The runs as a JSON array: every fact of the records, with `end` and `minutes`."""
    told = [asdict(run) | {"end": run.end, "minutes": run.minutes} for run in runs]
    return json.dumps(told, indent=2, ensure_ascii=False)


def as_text(runs: Sequence[RunRecord]) -> str:
    """The runs for a person to read."""
    return "\n\n".join(map(_described, runs)) or "No retraining was started here yet."


def _described(run: RunRecord) -> str:
    started = datetime.fromisoformat(run.started).astimezone()
    lasted = "" if run.minutes is None else f"  {run.minutes:.1f} min"
    lines = [f"{started:%Y-%m-%d %H:%M}  {run.end.upper()}  {run.product}{lasted}".rstrip()]
    facts = {
        "because": run.reason,
        "built": f"{run.commit[:10]} of {run.branch or 'a detached HEAD'}" if run.commit else "",
        "left out": ", ".join(run.left_out),
        "beside the files": ", ".join(run.changes),
        "changed": ", ".join(run.changed or []),
        "ended": run.why,
        "before": (run.before or "nothing")[:12],
        "now": (run.now or "nothing")[:12] if run.ending else "",
        "new model": (run.candidate or "")[:12],
        "results": run.results[:10],
        "key": run.key,
    }
    lines += [_fact(name, text) for name, text in facts.items() if text]
    return "\n".join(lines)


def _fact(name: str, text: str) -> str:
    head = f"  {name:17}"
    return textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
