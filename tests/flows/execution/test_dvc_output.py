"""What is read out of the lines of DVC."""

from flows.execution.dvc_output import Transcript, is_noise

FAILED = """Running stage 'validate':
> python -m pipeline.validate
validate  started
validate failed
  got: 12 rows
  expected: 50 rows or more
  next: add rows
ERROR: failed to reproduce 'validate': failed to run: python -m pipeline.validate, exited with 1"""


def transcript(text: str) -> Transcript:
    result = Transcript()
    for line in text.splitlines():
        result.add(line)
    return result


def test_a_crash_gives_its_last_line() -> None:
    lines = ("Running stage 'x':", "Traceback …", "KeyError: 'a'", "ERROR: failed to reproduce …")
    assert transcript("\n".join(lines)).tail() == "KeyError: 'a'"


def test_a_stage_counts_as_run_only_where_dvc_ran_it() -> None:
    assert transcript(FAILED).ran == ["validate"]
    assert transcript("Stage 'x' is cached - skipping run, checking out outputs").ran == []
    assert transcript("Stage 'x' didn't change, skipping").ran == []


def test_remarks_of_dvc_are_noise_and_lines_of_stages_are_not() -> None:
    assert is_noise("Use `dvc push` to send your updates to remote storage.")
    assert is_noise("")
    assert not is_noise("validate  3/10  30%")


KILLED = """Running stage 'validate':
> python -m pipeline.validate
validate  started
peak memory 310 MB
ERROR: failed to reproduce 'validate': failed to run: python -m pipeline.validate, exited with 137
peak memory 120 MB"""

BUSY = """ERROR: '/x/records.txt' is busy, it is being blocked by:
  (PID 7): dvc repro
  (PID 8): dvc exp run

If there are no processes with such PIDs, you can manually remove '/x/.dvc/tmp/rwlock' and try again."""


def test_how_the_command_of_a_stage_ended_and_its_largest_process_are_read() -> None:
    killed = transcript(KILLED)
    assert (killed.exit_code(), killed.peak_megabytes()) == (137, 310)
    assert killed.tail() == "validate  started"
    nothing = transcript("Stage 'x' didn't change, skipping")
    assert (nothing.exit_code(), nothing.peak_megabytes(), nothing.blockers()) == (None, None, None)


def test_those_in_the_way_are_named() -> None:
    assert transcript(BUSY).blockers() == "process 7 (dvc repro), process 8 (dvc exp run)"
    lock = "ERROR: Unable to acquire lock. Most likely another DVC process is running"
    assert transcript(lock).blockers() == "another DVC process"
