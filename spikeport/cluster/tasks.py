"""One function over many items, as Ray tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from spikeport.core.errors import SpikeportError, UsageError
from spikeport.estimate.sharing import UNSENDABLE, unsendable

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")

PER_CPU = 2
"""Tasks handed over per core: one runs, one waits, so that no core does and memory is bounded."""
RETRIES = 5


def in_tasks(
    work: Callable[[Shared, Item], Result],
    shared: Shared,
    count: int,
    item: Callable[[int], Item],
) -> Iterator[tuple[int, Result]]:
    """(index, `work(shared, item(index))`) for each index below `count`, in the order in which
    tasks finish.

    A task whose process or machine dies is run again, so each index comes exactly once.

    Args:
        work: a function of a module that the workers can import.
        shared: sent to each machine once, and read there by each process once: what it keeps from
            one item to the next stays.
        item: makes what one task works on, when its turn comes: only what is in flight is held.

    Raises:
        SpikeportError: as raised in a task.
        UsageError: what is shared cannot be pickled, a task failed otherwise, or its process died
            again and again.
    """
    import ray
    from ray.exceptions import RayError, RayTaskError

    remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_answer)
    try:
        # In a list, Ray hands the reference over and not what it stands for.
        held = [ray.put((work, shared))]
    except UNSENDABLE as error:
        raise unsendable(error, "ray") from error
    cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
    width = PER_CPU * max(1, int(cores))
    waiting: dict[Any, int] = {}
    following = iter(range(count))
    try:
        while True:
            while len(waiting) < width and (index := next(following, None)) is not None:
                waiting[remote.remote(held, item(index))] = index
            if not waiting:
                return
            for done in ray.wait(list(waiting))[0]:
                index = waiting.pop(done)
                answer = ray.get(done)
                if isinstance(answer, SpikeportError):
                    raise answer
                yield index, answer
    except RayTaskError as error:
        raise UsageError(
            f"{type(error.cause).__name__}: {error.cause}", where=f"a task on item {index}"
        ) from error
    except RayError as error:
        raise UsageError(
            f"the cluster lost it {RETRIES + 1} times ({str(error).splitlines()[0][:200]}).",
            where=f"a task on item {index}",
            fix="The process may have run out of memory: use fewer workers or smaller batches.",
        ) from error
    finally:
        for task in waiting:
            ray.cancel(task, force=True)


@lru_cache(maxsize=1)
def _shared(held: Any) -> Any:
    import ray

    return ray.get(held)


def _answer(held: list[Any], item: Any) -> Any:
    import torch

    torch.set_num_threads(1)
    work, shared = _shared(held[0])
    try:
        return work(shared, item)
    except SpikeportError as error:
        # Returned, not raised: it keeps its type and what it says on the way back.
        return error
