"""A retraining with real git, DVC, Prefect, MLflow and server, told by `modelyard why`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.execution.git import git
from tests.support.mini_repo import make_mini_repo, mini_environment

pytestmark = pytest.mark.soak
COMMIT = ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "a bundle that serves")


def modelyard(root: Path, *arguments: str) -> str:
    """What the command prints."""
    ended = subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        cwd=root,
        env=mini_environment(root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return ended.stdout


def with_real_bundles(root: Path) -> Path:
    """The mini repository, whose gate leaves a bundle that can be served."""
    make_mini_repo(root)
    gate = root / "pipeline" / "gate.py"
    text = gate.read_text()
    old = 'write_json(paths.out / "bundle" / "manifest.json", {"files": {"words": str(words)}})'
    new = 'make_tiny_bundle(paths.out / "bundle", seed=words, product="movie-review-sentiment")'
    imported = "from tests.support.tiny_bundle import make_tiny_bundle\n"
    first = "from pipeline.core.artifacts"
    gate.write_text(text.replace(old, new).replace(first, f"{imported}{first}", 1))
    git(root, *COMMIT)
    return root


def test_a_commit_is_released_once_and_its_results_are_on_a_branch(tmp_path: Path) -> None:
    root = with_real_bundles(tmp_path / "clone")
    params = root / "params.yaml"
    params.write_text(f"{params.read_text()}\n# in the editor\n")
    built = git(root, "rev-parse", "HEAD").strip()
    asked = ("retrain", "--key", "export 7", "--commit-to", "retrain/main", "--reason", "a try")
    try:
        assert "There was no champion yet: first release." in modelyard(root, *asked)
        assert "was done before" in modelyard(root, *asked)
    finally:
        modelyard(root, "stop")
    (run,) = json.loads(modelyard(root, "why", "--json"))
    assert (run["end"], run["reason"], run["commit"]) == ("released", "a try", built)
    assert run["left_out"] == ["params.yaml"]
    assert git(root, "rev-parse", "retrain/main").strip() == run["results"]
    decision = git(root, "show", "retrain/main:retrain/movie-review-sentiment/decision.json")
    assert json.loads(decision)["now"] == run["now"]
    assert "collect" in git(root, "show", "retrain/main:dvc.lock")
    assert git(root, "status", "--porcelain").strip() == "M params.yaml"
