"""One process whose threads share each batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikeport.core.errors import UsageError
from spikeport.train.augment import augment
from spikeport.train.engines.base import StepResult
from spikeport.train.parallel import parallel_learner
from spikeport.train.recipe import Recipe
from spikeport.train.samples import FrameSamples, Samples


class ThreadEngine:
    """Frames in memory, each batch cut into parts for `recipe.workers` threads.

    The weights that come with Spikeport were trained so; the same recipe gives the same bytes.
    """

    processes, rank = 1, 0
    device = torch.device("cpu")

    def __init__(self, recipe: Recipe, asked_to_stop: Callable[[], bool]) -> None:
        self._recipe, self._asked_to_stop = recipe, asked_to_stop
        self._generator = torch.Generator()
        self._begun = torch.empty(0, dtype=torch.uint8)

    def prepare(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._model, self._optimizer = model, optimizer

    def steps(self, samples: Samples) -> int:
        whole, rest = divmod(len(samples), self._recipe.batch_size)
        # A last batch of one would leave batch norm nothing to normalise with.
        return whole + (rest > 1)

    def learn(self, samples: Samples, epoch: int, first: int) -> Generator[StepResult, None, None]:
        if not isinstance(samples, FrameSamples):
            raise UsageError(
                "threads share frames of events only.",
                where="engine",
                fix="Use engine=devices for images.",
            )
        (draw,) = np.random.SeedSequence([self._recipe.seed, epoch]).generate_state(1, np.uint64)
        order = torch.randperm(len(samples), generator=self._generator.manual_seed(int(draw)))
        if first:
            # Random maps follow the order in one stream, which goes on where it stopped.
            self._generator.set_state(self._begun)
        batches = torch.split(order, self._recipe.batch_size)
        loss = functools.partial(
            functional.cross_entropy,
            label_smoothing=self._recipe.label_smoothing,
            reduction="sum",
        )
        data = samples.data
        with parallel_learner(self._model, loss, self._recipe.workers) as learn:
            for batch in batches[first : self.steps(samples)]:
                chosen = samples.indices[batch.numpy()]
                frames = torch.from_numpy(data.frames[chosen].astype(np.float32))
                labels = torch.from_numpy(data.labels[chosen])
                mapped = augment(frames, self._recipe.augment, self._generator)
                total, right = learn(mapped, labels)
                yield StepResult(total, right, len(batch), self._asked_to_stop())

    def update(self) -> None:
        self._optimizer.step()

    def reduce(self, values: list[float]) -> list[float]:
        return values

    def share_buffers(self, model: nn.Module) -> None:
        pass

    def wait(self) -> None:
        pass

    def state(self) -> Mapping[str, Tensor]:
        return {"generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self._begun = state["generator"]
