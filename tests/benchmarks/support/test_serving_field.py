"""Servers of a benchmark run on the core they are given; what this server can do is asked of itself."""

import os
import resource

from benchmarks.support.serving_field import DESCRIPTORS, has_option, medians, on_core


def test_processes_started_on_a_core_stay_there_and_the_caller_does_not() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    with on_core(core):
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


def test_processes_started_on_a_core_may_open_as_many_files_as_on_most_machines() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with on_core(min(os.sched_getaffinity(0))):
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= DESCRIPTORS
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_the_server_says_which_options_it_has() -> None:
    assert has_option("--pointer")
    assert not has_option("--no-such-option")


def test_a_median_over_rounds_is_one_of_each_figure() -> None:
    rounds = [{"a": 1.0, "b": 30.0}, {"a": 2.0, "b": 10.0}, {"a": 9.0, "b": 20.0}]
    assert medians(rounds) == {"a": 2.0, "b": 20.0}
