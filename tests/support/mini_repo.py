"""A small git repository with four quick stages that use the real `run_stage`, for tests of flows.

    collect → validate → label → gate

`collect` reads `data/text.txt`; `validate` reads its section of params.yaml and a library module;
`label` copies; `gate` leaves a scorecard, a verdict and a bundle of the contract's shape.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.repository import PARAMS, REPOSITORY

_STAGES = {
    "collect": '''
"""collect: copy the text."""
from pipeline.core.stage import run_stage
def run(params, paths):
    text = (paths.root / "data" / "text.txt").read_text()
    (paths.out / "records.txt").write_text(text)
    return {"headline": f"{len(text)} characters", "characters": len(text)}
if __name__ == "__main__":
    run_stage("collect", run)
''',
    "validate": '''
"""validate: count, slowly where the text says so, and leave a curve."""
import os, time
from pipeline.core.errors import DataError
from pipeline.core.progress import say
from pipeline.core.stage import run_stage
from pipeline.data.counting import count
def run(params, paths):
    text = paths.read("collect", "records.txt").read_text()
    if "bad" in text:
        raise DataError("a bad text", expected="a good text", next_step="mend data/text.txt")
    with (paths.out / "curve.csv").open("w") as curve:
        curve.write("step,loss\\n")
        for step in range(600 if "slow" in text and not os.environ.get("QUICK") else 3):
            curve.write(f"{step},{1 / (step + 1)}\\n")
            curve.flush()
            if "slow" in text and not os.environ.get("QUICK"):
                say(f"validate  {step}/600  {step // 6}%")
                time.sleep(0.1)
    words = count(text) + params.validate_.min_characters
    (paths.out / "records.txt").write_text(str(words))
    return {"headline": f"{words} words", "words": words}
if __name__ == "__main__":
    run_stage("validate", run)
''',
    "label": '''
"""label: pass through."""
from pipeline.core.stage import run_stage
def run(params, paths):
    text = paths.read("validate", "records.txt").read_text()
    (paths.out / "records.txt").write_text(text)
    return {"headline": "labelled"}
if __name__ == "__main__":
    run_stage("label", run)
''',
    "gate": '''
"""gate: a verdict."""
from pipeline.core.files import write_json
from pipeline.core.stage import run_stage
def run(params, paths):
    words = int(paths.read("label", "records.txt").read_text())
    quality = {"validation": {"accuracy": 0.8, "macro_f1": 0.79}}
    variant = {"name": "student-int8", "quality": quality, "size_bytes": words,
               "latency_ms": {"p95": 1.5}, "parameters": 10, "throughput_per_s": 5}
    check = {"name": "size_mb", "limit": 8, "value": words, "interval": None, "unit": "MB",
             "outcome": "passed"}
    write_json(paths.out / "scorecard.json", {"variants": [variant]})
    write_json(paths.out / "verdict.json",
               {"passed": True, "released": "student-int8", "checks": [check]})
    bundle = paths.out / "bundle"
    write_json(bundle / "manifest.json", {"files": {"words": str(words)}})
    return {"headline": f"released student-int8, {params.gate.golden_requests} golden",
            "words": words}
if __name__ == "__main__":
    run_stage("gate", run)
''',
}

_COUNTING = '''
"""Counting words."""


def count(text: str) -> int:
    """Number of words."""
    return len(text.split())  # by blanks
'''

_DAG = {
    "collect": (["data"], ["records.txt"], []),
    "validate": (["artifacts/collect/records.txt"], ["records.txt"], ["curve.csv"]),
    "label": (["artifacts/validate/records.txt"], ["records.txt"], []),
    "gate": (
        ["artifacts/label/records.txt"],
        ["scorecard.json", "verdict.json", "bundle"],
        [],
    ),
}


def make_mini_repo(root: Path, *, text: str = "one two three") -> Path:
    """Write, initialise and commit the repository at `root`; nothing is built yet."""
    for package in ("core", "release", "runtime"):
        shutil.copytree(
            REPOSITORY / "pipeline" / package,
            root / "pipeline" / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for file in (PARAMS, REPOSITORY / ".gitignore", REPOSITORY / ".dvcignore"):
        shutil.copy(file, root / file.name)
    for name, code in _STAGES.items():
        (root / "pipeline" / f"{name}.py").write_text(code.lstrip())
    (root / "pipeline" / "data").mkdir()
    (root / "pipeline" / "data" / "counting.py").write_text(_COUNTING.lstrip())
    for package in ("pipeline", "pipeline/data"):
        (root / package / "__init__.py").touch()
    for folder in ("data", "annotations"):
        (root / folder).mkdir()
        (root / folder / ".gitkeep").touch()
    (root / "data" / "text.txt").write_text(text)
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": _dag()}, sort_keys=False))
    for command in (
        ["git", "init", "-q", "-b", "main"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        ["git", "add", "."],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=root, check=True, env=mini_environment(root))
    return root


def mini_environment(root: Path, **more: str) -> dict[str, str]:
    """Environment in which `python -m flows.build` works on the repository at `root`."""
    return dict(os.environ) | {
        "PYTHONPATH": str(REPOSITORY),
        "DVC_SITE_CACHE_DIR": str(root / ".modelyard" / "dvc"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **more,
    }


def set_parameter(root: Path, dotted: str, value: object) -> None:
    """Change one value of params.yaml."""
    values = yaml.safe_load((root / "params.yaml").read_text())
    section, key = dotted.split(".")
    values[section][key] = value
    (root / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))


def _dag() -> dict[str, object]:
    return {
        name: {
            "cmd": f"python -m pipeline.{name}",
            "deps": deps,
            "params": ["compute.seed", name, {"code.lock.json": [name]}],
            "outs": [f"artifacts/{name}/{out}" for out in outs],
            "metrics": [f"artifacts/{name}/metrics.json"],
            **({"plots": [f"artifacts/{name}/{plot}" for plot in plots]} if plots else {}),
        }
        for name, (deps, outs, plots) in _DAG.items()
    }
