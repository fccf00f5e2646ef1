"""Work on batches: one after the other, by several processes, or wherever a caller has it done."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar

import torch

from spikeport.core.errors import SpikeportError, UsageError
from spikeport.core.processes import end_with_parent

Batch = TypeVar("Batch")
Result = TypeVar("Result")

Work = Callable[[int, Batch], Result]
"""What is done to a batch, given its number too. To be shared out it must be picklable; it may keep
things from one batch to the next, but no result may depend on them."""

UNSENDABLE = (pickle.PicklingError, AttributeError, RuntimeError, TypeError, ValueError)
"""What pickling raises, whatever stands in the way."""

# What a process that was told to end may take to do so before it is killed.
_PATIENCE = 5.0


class Sharing(Protocol):
    """Has the batches done that are not, somewhere."""

    def __call__(
        self, work: Work[Batch, Result], batches: Sequence[Batch], done: frozenset[int], /
    ) -> Iterator[tuple[int, Result]]:
        """(number of the batch, its result) in any order, each once.

        Raises:
            SpikeportError: as raised by the work.
            UsageError: the work cannot be sent, or who does it died.
        """
        ...


def worked(
    work: Work[Batch, Result],
    batches: Iterable[Batch],
    done: frozenset[int],
    workers: int | Sharing,
) -> Iterator[tuple[int, Result]]:
    """(number, result) of each batch that is not done.

    Args:
        workers: processes that share the batches, or what shares them out; batches are a sequence
            then.

    Raises:
        SpikeportError: as raised by the work.
        UsageError: a stream is to be shared out, there is no worker, or see `Sharing`.
    """
    if workers == 1:
        return _here(work, batches, done)
    nobody = isinstance(workers, int) and workers < 1
    if nobody or not isinstance(batches, Sequence):
        raise UsageError(
            "no worker, no work." if nobody else "batches of a stream cannot be shared out.",
            where="workers",
            fix="Use one worker, or give a sequence of batches.",
        )
    if isinstance(workers, int):
        return _by_processes(work, batches, done, workers)
    return workers(work, batches, done)


def _here(
    work: Work[Batch, Result], batches: Iterable[Batch], done: frozenset[int]
) -> Iterator[tuple[int, Result]]:
    """In order; of a sequence, what is done is not read."""
    if isinstance(batches, Sequence):
        for index in range(len(batches)):
            if index not in done:
                yield index, work(index, batches[index])
        return
    for index, batch in enumerate(batches):
        if index not in done:
            yield index, work(index, batch)


def _by_processes(
    work: Work[Batch, Result], batches: Sequence[Batch], done: frozenset[int], workers: int
) -> Iterator[tuple[int, Result]]:
    """By processes with one torch thread each, in the order in which they finish.

    Each process takes every `workers`-th batch. They end with this generator, and when this
    process dies, even by a signal that it cannot catch.
    """
    todo = [index for index in range(len(batches)) if index not in done]
    shards = [shard for shard in (todo[start::workers] for start in range(workers)) if shard]
    with _processes(work, batches, shards) as pipes:
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


def unsendable(error: BaseException, where: str) -> UsageError:
    """The refusal of work that cannot be pickled."""
    return UsageError(
        f"the work cannot be given to another process ({error}).",
        where=where,
        fix="Use one worker, or executors and batches that can be pickled.",
    )


@contextmanager
def _processes(
    work: Work[Any, Any], batches: Sequence[Any], shards: list[list[int]]
) -> Iterator[list[Connection]]:
    # Forking a process that runs torch's threads can deadlock the child.
    context = multiprocessing.get_context("spawn")
    started: list[Any] = []
    pipes: list[Connection] = []
    try:
        for shard in shards:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(theirs, work, batches, shard), daemon=True
            )
            try:
                process.start()
            except UNSENDABLE as error:
                raise unsendable(error, "workers") from error
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
    # EOFError between two results, OSError within one.
    except (EOFError, OSError):
        raise UsageError(
            "a worker process ended before its work was done.",
            where="workers",
            fix="It may have run out of memory, or cannot import what the batches are made of: "
            "use fewer workers, or one.",
        ) from None


def _work(pipe: Connection, work: Work[Any, Any], batches: Sequence[Any], shard: list[int]) -> None:
    """What a process does: its batches, each result sent at once, and None at the end."""
    end_with_parent()
    torch.set_num_threads(1)
    try:
        for index in shard:
            pipe.send((index, work(index, batches[index])))
        pipe.send(None)
    except SpikeportError as error:
        pipe.send(error)
    except KeyboardInterrupt:
        pass
    except Exception as error:
        pipe.send(UsageError(f"{type(error).__name__}: {error}", where="a worker process"))
