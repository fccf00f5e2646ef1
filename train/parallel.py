"""One batch on several cores."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
# Returns the sum of the losses and the number of right answers.
Learn = Callable[[Tensor, Tensor], tuple[float, int]]


@contextmanager
def parallel_learner(model: nn.Module, loss: Loss, workers: int) -> Iterator[Learn]:
    """Yield a function that puts the gradient of the mean loss into the parameters of `model`.

    The batch is cut into `workers` parts, each worked on by one thread; the layers are too small
    to gain from sharing out single operations. Batch norm sees one part at a time, and its running
    statistics are those of the first. Gradients are added in a fixed order, so the result depends
    on the number of workers but not on their speed.

    Args:
        model: in training mode.
        loss: maps scores `[B, classes]` and labels `[B]` to the sum of the losses.
        workers: number of parts.
    """
    # Deep copies with the same parameters but their own batch norm statistics.
    shared = {id(weight): weight for weight in model.parameters()}
    replicas = [model, *(copy.deepcopy(model, dict(shared)) for _ in range(workers - 1))]
    weights = [weight for weight in model.parameters() if weight.requires_grad]

    def part(
        replica: nn.Module, frames: Tensor, labels: Tensor
    ) -> tuple[tuple[Tensor, ...], float, int]:
        scores = replica(frames)
        total = loss(scores, labels)
        # Of weights that never run, as a model of somebody else's may hold, they are zero.
        gradients = torch.autograd.grad(total, weights, materialize_grads=True)
        return gradients, float(total.detach()), int((scores.argmax(1) == labels).sum())

    def learn(frames: Tensor, labels: Tensor) -> tuple[float, int]:
        # Batch norm needs two samples at least.
        parts = max(1, min(workers, len(labels) // 2))
        done = list(pool.map(part, replicas[:parts], frames.chunk(parts), labels.chunk(parts)))
        for index, weight in enumerate(weights):
            weight.grad = sum((result[0][index] for result in done[1:]), done[0][0][index])
            weight.grad /= len(labels)
        return sum(result[1] for result in done), sum(result[2] for result in done)

    with ThreadPoolExecutor(workers) as pool:
        yield learn
