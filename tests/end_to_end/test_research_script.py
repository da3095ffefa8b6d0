"""The research script of docs/guide/adopt.md becomes a served bundle."""

import random
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from flows.execution.network import free_port
from tests.support.repository import REPOSITORY
from tests.support.whole_repo import copy_repository, environment, stop

PRAISE = ["good", "great", "warm", "funny", "brilliant", "lovely", "moving", "clever"]
BLAME = ["bad", "dull", "slow", "awful", "tired", "weak", "empty", "noisy"]
NOUNS = [
    "film",
    "story",
    "plot",
    "cast",
    "scene",
    "music",
    "ending",
    "camera",
    "hero",
    "dialogue",
    "pace",
    "script",
]
ADVERBS = ["really", "very", "quite", "rather", "truly", "so", "almost", "oddly"]


def write_reviews(file: Path, count: int) -> None:
    """Texts that blame and praise in turn, all different."""
    chance = random.Random(3)  # noqa: S311 - test data, not a secret
    lines = ["text,label"]
    while len(lines) <= count:
        number = len(lines) % 2
        nouns, adverbs = chance.sample(NOUNS, 3), chance.sample(ADVERBS, 2)
        said = chance.sample((BLAME, PRAISE)[number], 2)
        text = f"the {nouns[0]} is {adverbs[0]} {said[0]} and the {nouns[1]} was {adverbs[1]} {said[1]}"
        line = f"{text} and then there is the {nouns[2]} of it,{('negative', 'positive')[number]}"
        if line not in lines:
            lines.append(line)
    file.write_text("\n".join(lines), encoding="utf-8")


def script() -> str:
    page = (REPOSITORY / "docs" / "guide" / "adopt.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.soak
def test_the_guides_research_script_ends_in_a_server_that_answers(tmp_path: Path) -> None:
    root = copy_repository(tmp_path / "project")
    write_reviews(root / "data" / "films.csv", 600)
    port = free_port()

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=root,
            env=environment(port) | {"PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "flows", "new", "data/films.csv", "--yes", "--name", "films")
    assert "artifacts/prepare/records.parquet" in run("-m", "flows", "adopt")
    (root / "research").mkdir()
    (root / "research" / "review_cnn.py").write_text(script(), encoding="utf-8")
    run("research/review_cnn.py")
    try:
        told = run("-m", "flows", "adopt", "research/review_cnn.py")
        address = re.search(r"^Demo: (\S+)/$", told, re.MULTILINE)
        assert address, told
        text = "the story is really funny and the cast was very warm"
        found = httpx.post(f"{address[1]}/predict", json={"text": text}, timeout=30).json()
        assert found["predictions"][0]["label"] == "positive"
    finally:
        stop(root)
