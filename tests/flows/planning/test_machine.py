"""machine.json tells machines apart, and is left alone on the same one."""

from pathlib import Path

import pytest

from flows.planning.machine import describe_machine, parse_cpuinfo, refresh_machine
from pipeline.core.cores import available_cores
from pipeline.core.files import read_json, write_json

X86 = "processor\t: 0\nmodel name\t: Example 9\nflags\t\t: fpu avx2 avx512f\n\nprocessor\t: 1\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


def test_a_processor_is_read_from_x86_and_from_arm_lines() -> None:
    assert parse_cpuinfo(X86) == ("Example 9", {"fpu", "avx2", "avx512f"})
    assert parse_cpuinfo(ARM) == ("arm 0x41 0xd0c", {"fp", "asimd", "asimddp"})


def test_a_container_with_another_quota_is_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(available_cores, "__defaults__", (tmp_path / "cgroup", tmp_path))
    assert describe_machine()["cores"] == 1


def test_it_is_written_once_and_again_only_for_another_machine(tmp_path: Path) -> None:
    assert refresh_machine(tmp_path)
    assert not refresh_machine(tmp_path)
    here = read_json(tmp_path / "machine.json")
    write_json(tmp_path / "machine.json", {**here, "processor": "another"})
    assert refresh_machine(tmp_path)
    assert read_json(tmp_path / "machine.json") == here
