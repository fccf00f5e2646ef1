"""Reading processes: which signals they hear, and when they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection

import pytest
from torch.utils.data import DataLoader, Dataset

from spikeport.train.samples import start_loader


class _Asked(Dataset[int]):
    """Its reader is asked to stop, as schedulers ask every process of a job."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return index


class _Slow(Dataset[int]):
    """Tells who reads it, and takes long."""

    def __init__(self, told: Connection) -> None:
        self.told = told

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        self.told.send(os.getpid())
        time.sleep(60)
        return index


def _read(told: Connection) -> None:
    next(iter(DataLoader(_Slow(told), num_workers=1, worker_init_fn=start_loader)))


def test_a_request_to_stop_is_for_the_parent_alone() -> None:
    found = DataLoader(_Asked(), batch_size=1, num_workers=1, worker_init_fn=start_loader)
    assert [int(batch) for batch in found] == [0, 1, 2, 3]


def test_a_loader_ends_with_its_parent() -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    reading = context.Process(target=_read, args=(theirs,))
    reading.start()
    theirs.close()
    assert ours.poll(60)
    loader = ours.recv()
    reading.kill()
    reading.join()
    try:
        # The pipe ends with the last process that holds it.
        assert ours.poll(10)
        with pytest.raises(EOFError):
            ours.recv()
    except AssertionError:
        os.kill(loader, signal.SIGKILL)
        raise
