"""prefect.yaml is read whole or refused by name."""

from pathlib import Path

import pytest

from flows.orchestration.deployment_file import (
    ConcurrencyLimit,
    DeploymentFile,
    read_deployment_file,
)
from pipeline.core.errors import ParameterError
from tests.support.repository import REPOSITORY

WHOLE = """
prefect-version: 3.8.8
name: ours
deployments:
  - name: nightly
    entrypoint: flows.orchestration.build_flow.build
    version: "2"
    tags: [night]
    parameters: {profile: quickstart}
    concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}
    work_pool: {name: ours, job_variables: {env: {A: b}}}
    schedules:
      - {slug: hourly, interval: 3600, active: false}
"""


def written(root: Path, text: str) -> DeploymentFile:
    (root / "prefect.yaml").write_text(text)
    return read_deployment_file(root)


def test_the_repositorys_own_file_is_read() -> None:
    names = [deployment.name for deployment in read_deployment_file(REPOSITORY).deployments]
    assert names == ["build", "release", "search", "retrain"]


def test_the_keys_that_users_of_prefect_expect_are_taken(tmp_path: Path) -> None:
    (found,) = written(tmp_path, WHOLE).deployments
    assert (found.tags, found.parameters, found.version) == (
        ["night"],
        {"profile": "quickstart"},
        "2",
    )
    assert found.concurrency_limit == ConcurrencyLimit(limit=2, collision_strategy="CANCEL_NEW")
    assert (found.work_pool.name, found.work_pool.work_queue_name) == ("ours", "default")
    assert found.work_pool.job_variables == {"env": {"A": "b"}}
    assert (found.schedules[0].interval, found.schedules[0].active) == (3600, False)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tags:", "tgas:", r"deployments\[0\].tgas'.*did you mean `tags`"),
        ("name: ours", "triggers: []", "triggers"),
        ("slug: hourly", "slog: hourly", r"schedules\[0\].slog'.*did you mean `slug`"),
        ("interval: 3600", "interval: 3600, cron: '* * * * *'", "more or less than one of cron"),
        ("interval: 3600, ", "", "more or less than one of cron"),
        ("{slug: hourly, interval: 3600, active: false}", "{slug: h, cron: x}\n      - {slug: h, cron: y}", "two schedules"),
        ("parameters: {", "parameters: [", "not YAML|while parsing"),
    ],
)  # fmt: skip
def test_what_would_not_be_handed_over_is_refused_by_name(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in WHOLE
    with pytest.raises(ParameterError, match=f"(?s){told}"):
        written(tmp_path, WHOLE.replace(old, new, 1))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"prefect\.yaml"):
        read_deployment_file(tmp_path)
