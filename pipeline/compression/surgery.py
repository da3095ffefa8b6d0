"""Dynamic network surgery (Guo, Yao and Chen 2016): cuts and splices weights in training.

Each matrix W has a mask T of zeros and ones, and the model computes with W ⊙ T. The gradient with
respect to W ⊙ T updates all of W, cut weights too, so one that was cut by mistake grows until it
passes the upper of two thresholds and is spliced back. Between the thresholds a weight stays as it
is.

Two things differ from the paper. Thresholds are quantiles of |W|, not a mean plus some deviations,
so that exactly the requested share is cut; the share rises from zero by a cubic (Zhu and Gupta
2017). And masks are renewed every few steps for the first four fifths of the training, where the
paper renews them with a falling probability; after that they are fixed and the remaining weights
recover.

The gain is zeros, which a compressed file does not store. A dense matrix product takes as long with
zeros as without, so latency does not change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from pipeline.core.errors import ArtifactError

_SMALLEST = 256
"""Smaller matrices are not cut: little to save, much to lose."""
_HYSTERESIS = 1.1
"""Upper threshold / lower threshold."""
_SHORT = 0.99
"""The share of the requested cut that must be reached, as each matrix is rounded."""
_RENEWALS = 50
"""How often the masks are renewed in a training."""
_RAMP_SHARE, _RENEWAL_SHARE = 0.6, 0.8
"""Shares of the training after which the whole share is cut, and after which masks are fixed."""


@dataclass(frozen=True)
class PruneStats:
    """Counts of what the surgery changed.

    Attributes:
        weights: number of weights in all matrices that were cut.
        cut: number of those that are zero now.
        spliced: number of times that a cut weight was spliced back.
    """

    weights: int
    cut: int
    spliced: int


class Surgery:
    """Cuts and splices the matrices of a model while it is trained.

    Pass `after_step` to the training, then call `finish`. Its state is in buffers of the model, so
    a resumed training continues with the masks it had.

    Args:
        keep_share: the share of each matrix's weights to keep.
        steps: number of steps of the whole training.

    Raises:
        ArtifactError: the model has no matrix to cut.
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
        """Renews the masks if this step is due."""
        for (module, name), masked in zip(self._matrices, self._masks, strict=True):
            masked.steps += 1
            step = int(masked.steps)
            if step % self._every == 0 and step <= self._steps * _RENEWAL_SHARE:
                share = cut_share_at(step / self._steps, final=self._cut_share)
                whole: Any = module.parametrizations[name]  # type: ignore[index]
                masked.renew(whole.original, cut_share=share)

    def finish(self, model: nn.Module) -> PruneStats:
        """Replaces W by W ⊙ T and removes the masks.

        Raises:
            ArtifactError: the training was too short to cut the requested share.
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
    """The share of the weights to cut when the share `progress` of the training is done."""
    done = min(progress / _RAMP_SHARE, 1.0)
    return final * (1.0 - (1.0 - done) ** 3)


class Masked(nn.Module):
    """W → W ⊙ T. Buffers: the mask T, the number of splices and of steps so far."""

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
        """Cuts weights below the lower threshold, splices those above the upper one."""
        size = weight.detach().abs()
        rank = round(cut_share * size.numel())
        if rank == 0:
            return
        lower = size.flatten().kthvalue(rank).values
        kept = (size > lower) & (self.mask | (size > _HYSTERESIS * lower))
        self.spliced += (kept & ~self.mask).sum()
        self.mask.copy_(kept)


class _CutForward(torch.autograd.Function):
    """Forward W ⊙ T; backward passes the gradient on to all of W (equation 3 of the paper)."""

    @staticmethod
    def forward(_context: Any, weight: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return weight * mask

    @staticmethod
    def backward(_context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0], None


def _matrices(model: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Each module that owns a matrix, with the matrix's name in it."""
    for module in list(model.modules()):
        for name, parameter in list(module.named_parameters(recurse=False)):
            is_matrix = parameter.ndim > 1 and not name.endswith("bias")
            if is_matrix and parameter.numel() >= _SMALLEST:
                yield module, name
