"""The learning-rate schedule of every training: a linear rise, then a linear fall to zero."""


def rate_factor(step: int, *, total: int, warmup_share: float) -> float:
    """The share of the peak learning rate at `step` of `total`.

    It rises over the first `warmup_share` of the steps and reaches zero after the last one.
    """
    warmup = warmup_share * total
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return (total - step) / max(total - warmup, 1.0)
