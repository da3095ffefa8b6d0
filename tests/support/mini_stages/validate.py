"""validate: count the words, slowly where the text says so, and leave a curve."""

import os
import signal
import time

from pipeline.core.errors import DataError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.text.bare_words import bare_words


def run(params: Params, paths: Paths) -> Metrics:
    text = paths.read("collect", "records.txt").read_text()
    if "bad" in text:
        raise DataError("a bad text", expected="a good text", next_step="mend data/text.txt")
    if "killed" in text:
        held = b"x" * 300_000_000
        say(f"validate  holds {len(held)} bytes")
        time.sleep(float(os.environ.get("SILENT_SECONDS", "0")))
        os.kill(os.getpid(), signal.SIGKILL)
    slow = "slow" in text and not os.environ.get("QUICK")
    steps = int(os.environ.get("STEPS", "600"))
    with (paths.out / "curve.csv").open("w") as curve:
        curve.write("step,loss\n")
        for step in range(steps if slow else 3):
            curve.write(f"{step},{1 / (step + 1)}\n")
            curve.flush()
            if slow:
                say(f"validate  {step}/{steps}  {100 * step // steps}%")
                time.sleep(0.1)
    words = len(bare_words(text).split()) + params.validate_.min_characters
    passed_on = [word for word in ("unlabelled", "chance") if word in text]
    (paths.out / "records.txt").write_text(" ".join(passed_on) or str(words))
    return {"headline": f"{words} words", "words": words}


if __name__ == "__main__":
    run_stage("validate", run)
