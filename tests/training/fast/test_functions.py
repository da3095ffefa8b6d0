"""torch's functions are replaced inside the block and nowhere else."""

from contextlib import suppress

from torch.nn import functional

from pipeline.training.fast.functions import quick_functions


def test_torch_has_its_own_functions_back_after_an_error() -> None:
    own = functional.dropout, functional.scaled_dot_product_attention
    with quick_functions():
        assert functional.dropout is not own[0]
    with suppress(KeyboardInterrupt), quick_functions():
        raise KeyboardInterrupt
    with quick_functions(), quick_functions():
        pass
    assert (functional.dropout, functional.scaled_dot_product_attention) == own
