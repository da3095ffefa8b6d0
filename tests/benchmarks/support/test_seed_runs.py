"""The benchmark of compression: builds of other seeds, of a small repository."""

import shutil
from pathlib import Path

import pytest

from benchmarks.support.seed_runs import built_with
from pipeline.core.errors import PipelineError
from pipeline.core.params import load_params
from tests.support.mini_repo import make_mini_repo, mini_environment
from tests.support.prefect_database import put_database
from tests.support.repository import PARAMS, PRODUCT


@pytest.fixture
def root(tmp_path: Path, prefect_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository, and its environment in this process."""
    root = make_mini_repo(tmp_path / "repository")
    put_database(prefect_database, root)
    for name, value in mini_environment(root).items():
        monkeypatch.setenv(name, value)
    return root


@pytest.mark.soak
def test_another_seed_is_built_and_its_results_are_there_for_as_long_as_they_are_read(
    root: Path,
) -> None:
    with built_with(root, 2) as paths:
        assert load_params(paths.build).compute.seed == 2
        assert paths.read("gate", "scorecard.json").is_file()
    assert not paths.root.exists()


def test_the_seed_of_params_is_the_build_that_is_there(tmp_path: Path) -> None:
    shutil.copy(PARAMS, tmp_path)
    (tmp_path / "products").mkdir()
    shutil.copy(PRODUCT, tmp_path / "products" / "movie-reviews.yaml")
    with built_with(tmp_path, 1) as paths:
        assert paths.root == tmp_path


@pytest.mark.soak
def test_a_build_that_fails_ends_the_comparison(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "data" / "text.txt").write_text("bad")
    with pytest.raises(PipelineError, match="seed 2 ended with code 1"), built_with(root, 2):
        pass
    assert "mend data/text.txt" in capfd.readouterr().err
