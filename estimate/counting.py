"""Batches counted one after the other, or by several processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.core.errors import SpikeportError, UsageError
from spikeport.estimate.evaluation.answers import Judged, judge
from spikeport.estimate.tally.batch import Counted
from spikeport.estimate.tally.tally import Tally

Batch = tuple[Tensor, Tensor | None] | tuple[Tensor, Tensor | None, Sequence[object]]
"""(frames as the executor takes them, labels `[B]` or None, names of the samples)."""

Sharing = Callable[[Executor, Sequence[Batch], frozenset[int]], Iterator["BatchResult"]]
"""Counts the batches that are not done, somewhere: results come in any order, each once."""

# What a process that was told to end may take to do so before it is killed.
_PATIENCE = 5.0


@dataclass(frozen=True, eq=False)
class BatchResult:
    """What one batch gave.

    Attributes:
        index: which batch.
        counted: its counts.
        judged: predictions and labels; None without labels.
    """

    index: int
    counted: Counted
    judged: Judged | None


def count_batch(tally: Tally, executor: Executor, index: int, batch: Batch) -> BatchResult:
    """Run and judge one batch; the tally stays as it is."""
    frames, labels = batch[0], batch[1]
    samples = frames.shape[1 if tally.graph.input.per_step else 0]
    # Names that do not depend on who counts the batch.
    names = batch[2] if len(batch) == 3 else [f"{index}.{place}" for place in range(samples)]
    scores, counted = tally.count(executor, frames, names)
    return BatchResult(index, counted, None if labels is None else judge(scores, labels))


def counted_here(
    tally: Tally, executor: Executor, batches: Iterable[Batch], done: frozenset[int]
) -> Iterator[BatchResult]:
    """Count the batches that are not done, in order."""
    if isinstance(batches, Sequence):
        for index in range(len(batches)):
            if index not in done:
                yield count_batch(tally, executor, index, batches[index])
        return
    for index, batch in enumerate(batches):
        if index not in done:
            yield count_batch(tally, executor, index, batch)


def counted_by_workers(
    executor: Executor, batches: Sequence[Batch], done: frozenset[int], workers: int
) -> Iterator[BatchResult]:
    """The same by processes with one torch thread each, in the order in which they finish.

    Each process takes every `workers`-th batch. They end with this generator, and when this
    process dies, even by a signal that it cannot catch.

    Raises:
        SpikeportError: as raised in a process.
        UsageError: executor or batches cannot be sent to a process, or a process died.
    """
    todo = [index for index in range(len(batches)) if index not in done]
    shards = [shard for shard in (todo[start::workers] for start in range(workers)) if shard]
    with _processes(executor, batches, shards) as pipes:
        open_pipes = list(pipes)
        while open_pipes:
            for pipe in wait(open_pipes):
                assert isinstance(pipe, Connection)
                message = _received(pipe)
                if message is None:
                    open_pipes.remove(pipe)
                elif isinstance(message, BaseException):
                    raise message
                else:
                    yield message


@contextmanager
def _processes(
    executor: Executor, batches: Sequence[Batch], shards: list[list[int]]
) -> Iterator[list[Connection]]:
    # Forking a process that runs torch's threads can deadlock the child.
    context = multiprocessing.get_context("spawn")
    started: list[Any] = []
    pipes: list[Connection] = []
    try:
        for shard in shards:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(theirs, executor, batches, shard), daemon=True
            )
            try:
                process.start()
            except (TypeError, AttributeError, ValueError, RuntimeError) as error:
                raise UsageError(
                    f"the work cannot be given to another process ({error}).",
                    where="workers",
                    fix="Use one worker, or an executor and batches that can be pickled.",
                ) from error
            # Ours only, so that the pipe ends when the process does.
            theirs.close()
            started.append(process)
            pipes.append(ours)
        yield pipes
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in pipes:
            pipe.close()


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise UsageError(
            "a worker process ended before its work was done.",
            where="workers",
            fix="It may have run out of memory, or cannot import what the batches are made of: "
            "use fewer workers, or one.",
        ) from None


def _work(pipe: Connection, executor: Executor, batches: Sequence[Batch], shard: list[int]) -> None:
    """What a process does: count its batches, send each result, and None at the end."""
    _end_with_parent()
    torch.set_num_threads(1)
    try:
        tally = Tally(executor.graph)
        for index in shard:
            pipe.send(count_batch(tally, executor, index, batches[index]))
        pipe.send(None)
    except SpikeportError as error:
        pipe.send(error)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        pipe.send(UsageError(f"{type(error).__name__}: {error}", where="a worker process"))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
