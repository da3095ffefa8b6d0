"""Gives models the faster dropout and attention of this folder while a block runs.

The part to be careful with: the *global* functions `torch.nn.functional.dropout` and
`scaled_dot_product_attention` are replaced, so that the model code of transformers uses ours
without being changed. Everything in the process that calls them is affected, on a CPU and in
training only; all other calls go to torch's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch.nn import functional

from pipeline.training.fast.attention import attention
from pipeline.training.fast.dropout import dropout


@contextmanager
def quick_functions() -> Iterator[None]:
    """Replaces torch's dropout and attention while the block runs.

    Replacing the two names is faster than a `TorchFunctionMode`, which intercepts every torch call.
    """
    before = functional.dropout, functional.scaled_dot_product_attention
    functional.dropout, functional.scaled_dot_product_attention = dropout, attention
    try:
        yield
    finally:
        functional.dropout, functional.scaled_dot_product_attention = before
