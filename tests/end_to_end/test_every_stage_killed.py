"""soak: the quickstart build, killed once in each of its stages, ends as an unbroken one does."""

from pathlib import Path

import pytest

from flows.execution.network import free_port
from flows.planning.dag import load_dag
from tests.support.prefect_database import put_database
from tests.support.repository import REPOSITORY
from tests.support.whole_repo import build_with_kills, copy_repository, result_of, run_build, stop


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_build_killed_in_every_stage_ends_with_the_same_result(
    prefect_database: Path, tmp_path: Path
) -> None:
    whole = copy_repository(tmp_path / "whole")
    put_database(prefect_database, whole)
    run_build(whole, port=free_port())
    stages = load_dag(REPOSITORY / "dvc.yaml").names
    killed = copy_repository(tmp_path / "killed")
    try:
        build_with_kills(stages, killed, database=prefect_database)
        assert result_of(killed) == result_of(whole)
    finally:
        stop(whole)
        stop(killed)
