"""Where an attack acts: on pixels, or, as it is published, on normalised values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from spikeport.core.copying import copy_model
from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry


class Victim:
    """A network as an attacker sees it: scores, and their gradients through the surrogates.

    It works on a copy in eval mode on the CPU; the network itself is left as it is.

    Args:
        model: inputs `[B, ...]` to scores `[B, classes]` or `[T, B, classes]`, which are averaged.
        mean, std: per channel, subtracted and divided by in front of the model.
        time_first: whether the model reads `[T, B, ...]`; inputs here are `[B, T, ...]`.

    Raises:
        UnsupportedError: the model cannot be copied.
    """

    def __init__(
        self,
        model: nn.Module,
        mean: Sequence[float] = (0.0,),
        std: Sequence[float] = (1.0,),
        *,
        time_first: bool = False,
    ) -> None:
        self._model = copy_model(model).requires_grad_(False)
        self._mean, self._std = per_channel(mean), per_channel(std)
        self._time_first = time_first

    def scores(self, x: Tensor) -> Tensor:
        """Class scores `[B, classes]`, without gradients."""
        with torch.no_grad():
            return self._forward(x)

    def gradient(self, x: Tensor, labels: Tensor) -> Tensor:
        """Gradient of the cross entropy of each sample in its own input, in the shape of `x`.

        Raises:
            UsageError: no gradient reaches the input, or it is not finite.
        """
        variable = x.detach().clone().requires_grad_()
        with torch.enable_grad():
            loss = nn.functional.cross_entropy(self._forward(variable), labels, reduction="sum")
        if not loss.requires_grad:
            raise UsageError(
                "no gradient reaches the input of this network.",
                where=type(self._model).__name__,
                fix="Remove torch.no_grad or detach from its forward.",
            )
        (gradient,) = torch.autograd.grad(loss, variable)
        if not bool(torch.isfinite(gradient).all()):
            raise UsageError(
                "its gradients hold NaN or infinity.", where=type(self._model).__name__
            )
        return gradient

    def _forward(self, x: Tensor) -> Tensor:
        normalised = (x - self._mean) / self._std
        functional.reset_net(self._model)
        scores: Tensor = self._model(normalised.transpose(0, 1) if self._time_first else normalised)
        functional.reset_net(self._model)
        return scores.mean(0) if scores.ndim == 3 else scores


def per_channel(values: Sequence[float]) -> Tensor:
    """Numbers of channels as a tensor that broadcasts over height and width."""
    return torch.tensor(tuple(values), dtype=torch.float32)[:, None, None]


@dataclass(frozen=True)
class Space:
    """Where an attack acts; its box is 0 to 1 in every space.

    Attributes:
        description: one line for lists.
        victim: (model, mean, std, whether time is first) -> what is attacked.
        enter: (pixels `[B, ..., C, H, W]` in 0 to 1, mean, std) -> the victim's input.
    """

    description: str
    victim: Callable[[nn.Module, Sequence[float], Sequence[float], bool], Victim]
    enter: Callable[[Tensor, Sequence[float], Sequence[float]], Tensor]


SPACES: Registry[Space] = Registry("attack space")

SPACES.add(
    "pixels",
    Space(
        "eps and the box of 0 to 1 apply to pixels; the network normalises behind them",
        lambda model, mean, std, first: Victim(model, mean, std, time_first=first),
        lambda pixels, mean, std: pixels,
    ),
)
SPACES.add(
    "normalised-clamp",
    Space(
        "as published, and wrong: eps is added to normalised values, which are then cut to 0 to 1",
        lambda model, mean, std, first: Victim(model, time_first=first),
        lambda pixels, mean, std: (pixels - per_channel(mean)) / per_channel(std),
    ),
)
