"""What every engine can do."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from spikeport.train.samples import Samples


class StepResult(NamedTuple):
    """What one step saw; sums over all processes.

    Attributes:
        loss: sum over the samples.
        right: right answers.
        seen: samples.
        stop: whether any process was asked to stop.
    """

    loss: float
    right: int
    seen: int
    stop: bool


class Engine(Protocol):
    """Computes gradients, on threads or on devices.

    Attributes:
        processes, rank: how many processes share the work, and which of them this is.
        device: where the model lives.
    """

    processes: int
    rank: int
    device: torch.device

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Take over a model in training mode and its optimiser; called once, before all else."""
        ...

    def steps(self, samples: Samples) -> int:
        """Steps of the optimiser in one pass over `samples`."""
        ...

    def learn(self, samples: Samples, epoch: int, first: int) -> Generator[StepResult, None, None]:
        """Put the gradient of the mean loss of each batch from `first` on into the weights; the
        optimiser moves them between two batches."""
        ...

    def update(self) -> None:
        """Let the optimiser move the weights, after clipping the gradient."""
        ...

    def reduce(self, values: list[float]) -> list[float]:
        """Sums over all processes."""
        ...

    def share_buffers(self, model: nn.Module) -> None:
        """Give all processes the buffers of `model` (batch norm's statistics) of the first."""
        ...

    def wait(self) -> None:
        """Until all processes are here."""
        ...

    def state(self) -> Mapping[str, Tensor]:
        """Tensors that a resumed run needs."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take up what `state` gave."""
        ...
