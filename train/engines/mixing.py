"""The loss of a batch, of samples mixed with one another or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn import functional

from spikeport.core.errors import UsageError
from spikeport.train.models import MODELS
from spikeport.train.randomness import seeded
from spikeport.train.recipe import Recipe

_STREAM = 2


class Criterion:
    """Mean cross-entropy with smoothed labels, behind timm's `Mixup` where the recipe mixes."""

    def __init__(self, recipe: Recipe, micro: int) -> None:
        self._recipe, self._mixup = recipe, _mixup(recipe)
        if self._mixup is not None and micro % 2:
            raise UsageError(
                f"samples are mixed in pairs, and {micro} go through the network at once.",
                where="micro_batch_size",
                fix="Give an even number.",
            )

    def __call__(
        self,
        forward: Callable[[Tensor], Tensor],
        frames: Tensor,
        labels: Tensor,
        place: tuple[int, int, int],
    ) -> tuple[Tensor, int]:
        """The mean loss, and how many answers are right; of mixed samples, the larger part counts.

        Args:
            frames: `[B, T, C, H, W]` or images `[B, C, H, W]`.
            labels: `[B]`.
            place: epoch, step and micro-batch, which random numbers depend on.
        """
        told, off = self._recipe, self._recipe.mix.off_epoch
        if self._mixup is None or (off is not None and place[0] >= off):
            scores = forward(frames)
            smoothing = told.label_smoothing
            loss = functional.cross_entropy(scores, labels, label_smoothing=smoothing)
        else:
            with seeded(told.seed, _STREAM, *place):
                mixed, targets = mix(self._mixup, frames, labels)
            scores = forward(mixed)
            loss = functional.cross_entropy(scores, targets.to(scores.dtype))
            labels = targets.argmax(1)
        return loss, int((scores.detach().argmax(1) == labels).sum())


def mix(mixup: Any, frames: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mixed samples, and targets `[B, classes]`.

    Of frames, all time steps are mixed alike. timm's `Mixup` takes the third and fourth axis for
    height and width, so time and polarity are made one axis for it; the published programs for
    event data give it `[B, T, C, H, W]`, and so cut along polarity and height.
    """
    flat = frames.flatten(1, -3).clone()
    mixed, targets = mixup(flat, labels)
    return mixed.view_as(frames), targets


def _mixup(recipe: Recipe) -> Any:
    if not recipe.mix.on:
        return None
    from timm.data import Mixup

    return Mixup(
        mixup_alpha=recipe.mix.mixup,
        cutmix_alpha=recipe.mix.cutmix,
        prob=recipe.mix.prob,
        switch_prob=recipe.mix.switch_prob,
        mode="batch",
        label_smoothing=recipe.label_smoothing,
        num_classes=MODELS[recipe.model].options(**recipe.options).num_classes,
    )
