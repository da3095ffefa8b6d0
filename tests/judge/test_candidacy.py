"""The file that names a candidate."""

import json
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.judgement import Allowance, JudgeLimits


def test_a_candidacy_is_read_as_it_was_written(tmp_path: Path) -> None:
    limits = JudgeLimits(other_label=Allowance(allowed=0.1, margin=0.02))
    written = Candidacy(bundle="a" * 64, folder="releases/a", canary=0.05, limits=limits)
    written.save(tmp_path / "candidate.json")
    assert Candidacy.load(tmp_path / "candidate.json") == written


def test_a_pointer_of_a_bundle_alone_is_a_shadow_with_the_usual_limits(tmp_path: Path) -> None:
    file = tmp_path / "candidate.json"
    file.write_text(json.dumps({"bundle": "a", "folder": "releases/a"}), encoding="utf-8")
    found = Candidacy.load(file)
    assert found is not None
    assert (found.canary, found.limits) == (0.0, JudgeLimits())


def test_without_a_file_there_is_no_candidate(tmp_path: Path) -> None:
    assert Candidacy.load(tmp_path / "candidate.json") is None


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"bundle": "a"}',
        '{"bundle": "a", "folder": "/etc"}',
        '{"bundle": "a", "folder": "../b"}',
        '{"bundle": "a", "folder": "b", "canary": 2}',
        '{"bundle": "a", "folder": "b", "share": 0.1}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "candidate.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"candidate\.json"):
        Candidacy.load(file)
