"""Batches counted by Ray tasks: the same whole numbers as counted here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from spikeport.cluster.connection import connected
from spikeport.cluster.tasks import in_tasks
from spikeport.convert.executor import Executor
from spikeport.estimate.counting import Batch, BatchResult, Sharing, count_batch
from spikeport.estimate.tally.tally import Tally


@contextmanager
def shared_out(workers: int, address: str | None) -> Iterator[int | Sharing]:
    """The `workers` of `estimate`: processes of this one, or a cluster while the block runs.

    Args:
        workers: number of processes, where there is no address.
        address: of a cluster, see `connected`.

    Raises:
        SpikeportError: the cluster cannot be used.
    """
    if address is None:
        yield workers
        return
    with connected(address, workers=workers if workers > 1 else None):
        yield counted_by_ray


def counted_by_ray(
    executor: Executor, batches: Sequence[Batch], done: frozenset[int]
) -> Iterator[BatchResult]:
    """Count the batches that are not done, on the cluster that this process is connected to.

    To be handed to `estimate` as its `workers`. A batch is read here and sent with its task: no
    worker needs to see the data set.

    Raises:
        SpikeportError: as raised in a task.
    """
    todo = [index for index in range(len(batches)) if index not in done]
    results = in_tasks(
        _count, _Counter(executor), len(todo), lambda place: (todo[place], batches[todo[place]])
    )
    for _, result in results:
        yield result


@dataclass(frozen=True)
class _Counter:
    executor: Executor

    @cached_property
    def tally(self) -> Tally:
        """Made by each process once; counting a batch leaves it as it is."""
        return Tally(self.executor.graph)


def _count(counter: _Counter, numbered: tuple[int, Batch]) -> BatchResult:
    index, batch = numbered
    return count_batch(counter.tally, counter.executor, index, batch)
