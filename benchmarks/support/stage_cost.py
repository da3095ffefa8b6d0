"""Runs one stage of the folder it is called in, and prints its most memory and its processor time as JSON.

    python -m benchmarks.support.stage_cost collect

A process starts with the most memory of the one that started it, so the one that starts the stage has to be
as small as this. What the stage prints goes to the error output.
"""

import json
import os
import subprocess
import sys

_UNIT = 1024 if sys.platform == "linux" else 1
"""Bytes of what the system counts the memory of a process in."""


def main() -> None:
    """Runs the stage; ends with its exit code."""
    command = [sys.executable, "-m", f"pipeline.{sys.argv[1]}"]
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    print(json.dumps({"megabytes": used.ru_maxrss * _UNIT / 1e6, "seconds": seconds}))
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
