"""How much memory a process needs that serves one model: run in a fresh process of its own.

`python -m pipeline.runtime.footprint '{"model": …}'` prints one JSON object: resident bytes after
the imports, and the peak after the model was loaded and used on the shortest and longest input.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel

_KIBIBYTE = 1024
_TIMEOUT_SECONDS = 120


def measure_footprint(model: Path, tokenizer: Path, *, task: Task, threads: int) -> dict[str, int]:
    """`bytes_imported` and `bytes_peak` of a new process that loads and uses the model.

    Raises:
        ArtifactError: that process failed.
    """
    request = json.dumps(
        {
            "model": str(model),
            "tokenizer": str(tokenizer),
            "task": task.as_dict(),
            "threads": threads,
        }
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.runtime.footprint", request],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ArtifactError(
            f"a fresh process could not use {model.name}: {done.stderr.strip()[-300:]}",
            expected="a model that the runtime loads and answers with",
            next_step="build it again with `make pipeline`",
        )
    figures: dict[str, int] = json.loads(done.stdout)
    return figures


def peak_bytes() -> int:
    """Most resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # `getrusage` would count the memory of the process that started this one (Linux, fork).
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) * _KIBIBYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE


def _main(request: dict[str, Any]) -> None:
    imported = peak_bytes()
    model = TextModel(
        Path(request["model"]),
        Path(request["tokenizer"]),
        task=Task.of(request["task"]),
        threads=request["threads"],
    )
    model.warm_up()
    print(json.dumps({"bytes_imported": imported, "bytes_peak": peak_bytes()}))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
