"""A training process keeps freed memory that glibc would return to the system."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
import numpy as np
import resource
if sys.argv[1] == "kept":
    from pipeline.training.fast.memory import keep_freed_memory
    keep_freed_memory()
np.ones(4_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(4_000_000)  # 32 MB, freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(setting: str) -> int:
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, setting], capture_output=True, text=True, check=True
    )
    return int(answer.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_the_pages_of_a_freed_block_are_not_taken_anew() -> None:
    assert page_faults("kept") * 10 < page_faults("left")
