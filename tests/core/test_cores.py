"""Cores are counted by what the process may use, not by what the machine has."""

from pathlib import Path

import pytest

from pipeline.core.cores import available_cores, quota_cores


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_tightest_quota_of_a_cgroup_2_and_its_parents_counts(tmp_path: Path) -> None:
    write(tmp_path / "cgroup", "0::/slice/service\n")
    write(tmp_path / "fs/slice/service/cpu.max", "max 100000\n")
    write(tmp_path / "fs/slice/cpu.max", "150000 100000\n")
    write(tmp_path / "fs/cpu.max", "400000 100000\n")
    assert quota_cores(tmp_path / "cgroup", tmp_path / "fs") == 1.5


def test_a_cgroup_1_quota_counts_and_minus_one_is_no_limit(tmp_path: Path) -> None:
    write(tmp_path / "cgroup", "5:memory:/other\n4:cpu,cpuacct:/job\n")
    write(tmp_path / "fs/cpu/job/cpu.cfs_quota_us", "50000\n")
    write(tmp_path / "fs/cpu/job/cpu.cfs_period_us", "100000\n")
    assert quota_cores(tmp_path / "cgroup", tmp_path / "fs") == 0.5
    assert available_cores(tmp_path / "cgroup", tmp_path / "fs") == 1
    write(tmp_path / "fs/cpu/job/cpu.cfs_quota_us", "-1\n")
    assert quota_cores(tmp_path / "cgroup", tmp_path / "fs") is None


def test_a_name_outside_the_container_still_finds_the_limit_at_the_root(tmp_path: Path) -> None:
    write(tmp_path / "cgroup", "0::/not/mounted/here\n")
    write(tmp_path / "fs/cpu.max", "100000 100000\n")
    assert quota_cores(tmp_path / "cgroup", tmp_path / "fs") == 1.0


def test_without_cgroups_there_is_no_quota_and_at_least_one_core(tmp_path: Path) -> None:
    assert quota_cores(tmp_path / "absent", tmp_path / "absent") is None
    assert available_cores(tmp_path / "absent", tmp_path / "absent") >= 1


@pytest.mark.parametrize("quota", ["100000 100000", "1000000000 100000"])
def test_a_quota_never_grants_more_than_affinity_does(tmp_path: Path, quota: str) -> None:
    write(tmp_path / "cgroup", "0::/\n")
    write(tmp_path / "fs/cpu.max", quota)
    free = available_cores(tmp_path / "absent", tmp_path / "absent")
    assert available_cores(tmp_path / "cgroup", tmp_path / "fs") <= free
