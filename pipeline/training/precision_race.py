"""A race between float32 and bfloat16: which computes a training step sooner on this machine.

    python -m pipeline.training.precision_race THREADS DEVICE    # prints the seconds of a step as JSON

That a processor has instructions for bfloat16 does not say that they are quick: on some servers
float32 is 1.6 times as fast (docs/adr/0025). The step is that of fine-tuning: forward and backward
pass and AdamW, on an encoder of the shape of the default checkpoint with random weights, so that the
answer belongs to the machine and not to a product.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence

import torch
from transformers import BertConfig, BertForSequenceClassification

from pipeline.core.product import Compute
from pipeline.core.training_sections import OptimisationParams
from pipeline.training.device import autocast, has_bfloat16, prepare_device
from pipeline.training.fast.functions import quick_functions
from pipeline.training.optimizer import build_optimizer

FLOAT32, BFLOAT16 = "float32", "bfloat16"
_ROWS, _TOKENS = 32, 32
_WARM_UP, _ROUNDS = 1, 5
_OPTIMISATION = OptimisationParams(
    epochs=1,
    batch_size=_ROWS,
    accumulation=1,
    learning_rate=1e-4,
    warmup_share=0.0,
    weight_decay=0.01,
)


def step_seconds(*, threads: int, device: str) -> dict[str, float]:
    """The shortest time of a training step in each arithmetic, in seconds.

    The rounds are interleaved, and the shortest time counts, so that what else runs on the machine
    slows both alike. Without hardware for bfloat16 only float32 is timed: software is 100 times
    slower.

    Args:
        threads: as `compute.threads`.
        device: as `compute.device`.
    """
    steps = {FLOAT32: _new_step(_compute(FLOAT32, threads=threads, device=device))}
    other = _compute(BFLOAT16, threads=threads, device=device)
    if has_bfloat16(prepare_device(other)):
        steps[BFLOAT16] = _new_step(other)
    for step in steps.values():
        for _ in range(_WARM_UP):
            step()
    rounds = [{name: _seconds(step) for name, step in steps.items()} for _ in range(_ROUNDS)]
    return {name: min(times[name] for times in rounds) for name in steps}


def _compute(precision: str, *, threads: int, device: str) -> Compute:
    values = {"seed": 1, "threads": threads, "device": device, "precision": precision}
    return Compute.model_validate(values)


def _new_step(compute: Compute) -> Callable[[], None]:
    """A training step on a new model."""
    place = prepare_device(compute)
    model = BertForSequenceClassification(_config()).to(place)
    optimizer = build_optimizer(model, _OPTIMISATION)
    tokens = torch.randint(0, _config().vocab_size, (_ROWS, _TOKENS), device=place)
    labels = torch.zeros(_ROWS, dtype=torch.long, device=place)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(compute, place), quick_functions():
            loss = model(input_ids=tokens, labels=labels).loss
        loss.backward()
        optimizer.step()
        float(loss.detach())  # waits until a GPU has done it

    return step


def _config() -> BertConfig:
    """The shape of the default checkpoint; few tokens, for the table takes no part in products."""
    return BertConfig(
        vocab_size=2048,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
    )


def _seconds(step: Callable[[], None]) -> float:
    before = time.perf_counter()
    step()
    return time.perf_counter() - before


def main(arguments: Sequence[str]) -> None:
    """Prints the seconds of a step in each arithmetic, as one line of JSON."""
    threads, device = arguments
    print(json.dumps(step_seconds(threads=int(threads), device=device)))


if __name__ == "__main__":
    main(sys.argv[1:])
