"""Measures in a fresh process how much memory a server of one model needs.

`python -m pipeline.runtime.footprint MODEL TOKENIZER TASK THREADS`, where TASK is the JSON of a
task, prints one JSON object: resident bytes after the imports, and the peak after the model was
loaded and used on the shortest and the longest input.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import unusable
from pipeline.core.typed_json import read_as
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel

_KIBIBYTE = 1024
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Resident memory of a process that serves one model: before it is loaded, and the peak."""

    bytes_imported: int
    bytes_peak: int


def measure_footprint(model: Path, tokenizer: Path, *, task: Task, threads: int) -> Footprint:
    """The memory of a new process that loads and uses the model."""
    arguments = [str(model), str(tokenizer), json.dumps(asdict(task)), str(threads)]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.runtime.footprint", *arguments],
        env={
            **chosen_environment(os.environ),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        encoding="utf-8",
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise unusable(
            f"a fresh process could not use {model.name}: {done.stderr.strip()[-300:]}",
            expected="a model that the runtime can load and use",
        )
    return read_as(Footprint, json.loads(done.stdout))


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux `getrusage` also counts the memory of the process that forked this one.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * _KIBIBYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


if __name__ == "__main__":
    model, tokenizer, task, threads = sys.argv[1:]
    imported = _peak_bytes()
    described = read_as(Task, json.loads(task))
    TextModel(Path(model), Path(tokenizer), task=described, threads=int(threads)).warm_up()
    print(json.dumps(asdict(Footprint(bytes_imported=imported, bytes_peak=_peak_bytes()))))
