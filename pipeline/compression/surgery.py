"""Dynamic network surgery (Guo, Yao and Chen 2016): single weights cut in training, and spliced back.

Each matrix W has a mask T of as many zeros and ones, and the model computes with W ⊙ T. The gradient
with respect to W ⊙ T goes to all of W, the cut weights too, so one that was cut by mistake grows until
it passes the upper of two thresholds, and is spliced back. Between the thresholds a weight stays as it is.

Two things differ from the paper. Thresholds are not a mean plus some deviations but quantiles of |W|, so
that the share that is cut is what was asked for; it rises by a cubic from nothing (Zhu and Gupta 2017).
And masks are renewed every few steps until four fifths of the training, where the paper does it with a
probability that falls; then they stand still and what is left recovers.

What it buys: zeros, which a compressed file does not store. A dense matrix product takes as long with
them as without, so latency stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from pipeline.core.errors import ArtifactError

_SMALLEST = 256
"""Matrices of fewer numbers are left whole: little to save, much to lose."""
_HYSTERESIS = 1.1
"""The upper threshold over the lower one."""
_SHORT = 0.99
"""Share of what was to be cut that must be: each matrix is rounded by itself."""
_RENEWALS = 50
"""Times that the masks are renewed in a training."""
_RAMP_SHARE, _RENEWAL_SHARE = 0.6, 0.8
"""Shares of the training after which as much is cut as asked for, and after which masks stand still."""


@dataclass(frozen=True)
class PruneStats:
    """What the surgery came to.

    Attributes:
        weights: in the matrices that were operated on.
        cut: of them are zero now.
        spliced: times that a cut weight came back.
    """

    weights: int
    cut: int
    spliced: int


class Surgery:
    """Cuts and splices the matrices of a model while it is trained.

    Use `after_step` as the training's hook of that name, then `finish`. All that it has to remember
    is in buffers of the model, so a training that is resumed goes on with the masks it had.

    Args:
        keep_share: of the weights of each matrix.
        steps: of the whole training.

    Raises:
        ArtifactError: the model has no matrix to operate on.
    """

    def __init__(self, model: nn.Module, *, keep_share: float, steps: int) -> None:
        self._cut_share, self._steps = 1.0 - keep_share, steps
        self._every = max(1, int(steps * _RENEWAL_SHARE) // _RENEWALS)
        matrices = list(_matrices(model))
        if not matrices:
            raise ArtifactError(
                f"a {type(model).__name__} with no matrix of {_SMALLEST} numbers or more",
                expected="a model with something to cut",
                next_step="use prune.method: structured",
            )
        for module, name in matrices:
            parametrize.register_parametrization(module, name, Masked(getattr(module, name)))
        self._masks = [module for module in model.modules() if isinstance(module, Masked)]
        self._matrices = matrices

    def after_step(self, _model: nn.Module) -> None:
        """Renew the masks, where it is time to."""
        for (module, name), masked in zip(self._matrices, self._masks, strict=True):
            masked.steps += 1
            step = int(masked.steps)
            if step % self._every == 0 and step <= self._steps * _RENEWAL_SHARE:
                share = cut_share_at(step / self._steps, final=self._cut_share)
                masked.renew(_dense(module, name), cut_share=share)

    def finish(self, model: nn.Module) -> PruneStats:
        """Put W ⊙ T in place of W, without a trace of the masks, and say what was done.

        Raises:
            ArtifactError: fewer weights are cut than were to be, for the training was too short to cut them.
        """
        done = PruneStats(
            weights=sum(masked.mask.numel() for masked in self._masks),
            cut=sum(int((~masked.mask).sum()) for masked in self._masks),
            spliced=sum(int(masked.spliced) for masked in self._masks),
        )
        if done.cut < _SHORT * self._cut_share * done.weights:
            raise ArtifactError(
                f"dynamic surgery cut {done.cut:,} of {done.weights:,} weights in {self._steps} steps",
                expected=f"{self._cut_share:.0%} of them",
                next_step="train longer (prune.max_sentences, prune.epochs), or set prune.method: structured",
            )
        for module, name in self._matrices:
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
        model.eval()
        return done


def cut_share_at(progress: float, *, final: float) -> float:
    """Share of the weights to be cut at a share `progress` of the training."""
    done = min(progress / _RAMP_SHARE, 1.0)
    return final * (1.0 - (1.0 - done) ** 3)


class Masked(nn.Module):
    """W → W ⊙ T. Its buffers: the mask, how often a weight came back, steps so far."""

    mask: torch.Tensor
    spliced: torch.Tensor
    steps: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight, dtype=torch.bool))
        self.register_buffer("spliced", torch.zeros((), dtype=torch.int64))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Same shape as `weight`."""
        masked: torch.Tensor = _CutForward.apply(weight, self.mask)  # type: ignore[no-untyped-call]
        return masked

    def renew(self, weight: torch.Tensor, *, cut_share: float) -> None:
        """Cut what is under the lower threshold, splice what is over the upper one."""
        size = weight.detach().abs()
        rank = round(cut_share * size.numel())
        if rank == 0:
            return
        lower = size.flatten().kthvalue(rank).values
        kept = (size > lower) & (self.mask | (size > _HYSTERESIS * lower))
        self.spliced += (kept & ~self.mask).sum()
        self.mask.copy_(kept)


class _CutForward(torch.autograd.Function):
    """W ⊙ T forward; backward the gradient reaches all of W (equation 3 of the paper)."""

    @staticmethod
    def forward(_context: Any, weight: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return weight * mask

    @staticmethod
    def backward(_context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0], None


def _matrices(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Every module that owns a matrix, with its name in it."""
    for module in list(model.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            is_matrix = parameter.ndim > 1 and not name.endswith("bias")
            if is_matrix and parameter.numel() >= _SMALLEST:
                yield module, name


def _dense(module: nn.Module, name: str) -> torch.Tensor:
    """W itself, the cut weights too."""
    weight: torch.Tensor = module.parametrizations[name].original  # type: ignore[union-attr, index]
    return weight
