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
