"""Batches worked on by Ray tasks: the same results as here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.cluster.connection import connected
from spikeport.cluster.tasks import in_tasks
from spikeport.estimate.sharing import Sharing, Work

Batch = TypeVar("Batch")
Result = TypeVar("Result")


@contextmanager
def shared_out(workers: int, address: str | None) -> Iterator[int | Sharing]:
    """The `workers` of `estimate` and `evaluate`: processes of this one, or a cluster while the
    block runs.

    Args:
        workers: number of processes; at an address, tasks at a time on a cluster started here.
        address: of a cluster, see `connected`.

    Raises:
        SpikeportError: the cluster cannot be used.
    """
    if address is None:
        yield workers
        return
    with connected(address, workers=workers if workers > 1 else None):
        yield by_ray


def by_ray(
    work: Work[Batch, Result], batches: Sequence[Batch], done: frozenset[int]
) -> Iterator[tuple[int, Result]]:
    """Have the batches done that are not, on the cluster that this process is connected to.

    To be handed to `estimate` or `evaluate` as its `workers`. A batch is read here and sent with
    its task: no worker needs to see the data set.

    Raises:
        SpikeportError: as raised in a task.
        UsageError: the work cannot be sent, or see `in_tasks`.
    """
    todo = [index for index in range(len(batches)) if index not in done]
    results = in_tasks(
        _work, work, len(todo), lambda place: (todo[place], _packed(batches[todo[place]]))
    )
    for place, result in results:
        yield todo[place], result


def _work(work: Work[Any, Result], numbered: tuple[int, Any]) -> Result:
    index, batch = numbered
    return work(index, _unpacked(batch))


@dataclass(frozen=True, eq=False)
class _Packed:
    """A tensor as Ray sends it with fewest copies."""

    array: npt.NDArray[Any]


def _packed(batch: Any) -> Any:
    return tuple(map(_as_array, batch)) if type(batch) is tuple else batch


def _as_array(part: Any) -> Any:
    if type(part) is not Tensor:
        return part
    try:
        return _Packed(part.numpy())
    # One that numpy has no type for, or that is not in this machine's memory.
    except (TypeError, RuntimeError):
        return part


def _unpacked(batch: Any) -> Any:
    if type(batch) is not tuple:
        return batch
    # What Ray hands out is shared, and cannot be written.
    return tuple(
        torch.from_numpy(part.array.copy()) if isinstance(part, _Packed) else part for part in batch
    )
