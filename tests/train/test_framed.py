"""Frames on disk: by several processes, and after a kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import event_files
import numpy as np
import pytest

from spikeport.core.errors import FileError
from spikeport.train.data.framed import Framed, Source, framed
from spikeport.train.data.recordings import Events

SIZE = (128, 128, 2)


def _load(index: int) -> tuple[Events, tuple[str, ...]]:
    return event_files.random_events(30, seed=index), ()


def _build(folder: Path, source: Source) -> Framed:
    return framed(folder, {"of": "tests"}, source, SIZE, 2, "count")


def _slow(folder: Path, log: Path) -> None:
    def load(index: int) -> tuple[Events, tuple[str, ...]]:
        with log.open("a") as file:
            file.write(f"{index}\n")
        time.sleep(0.05)
        return _load(index)

    _build(folder, Source([f"r{index}" for index in range(5)], load))


def test_several_processes_build_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    workers = [context.Process(target=_slow, args=(tmp_path / "c", log)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text().split() == ["0", "1", "2", "3", "4"]


def test_a_killed_builder_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    log = tmp_path / "log"
    worker = context.Process(target=_slow, args=(tmp_path / "c", log))
    worker.start()
    while not log.exists():
        time.sleep(0.01)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    found = _build(tmp_path / "c", Source([f"r{index}" for index in range(5)], _load))
    assert found.frames.shape == (5, 2, 2, 128, 128)
    assert isinstance(found.frames, np.memmap)
    left = sorted(path.suffix for path in (tmp_path / "c").iterdir())
    assert left == [".json", ".lock", ".npy"]


def test_nothing_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    def load(index: int) -> tuple[Events, tuple[str, ...]]:
        raise FileError("it is bad.", where=f"r{index}")

    with pytest.raises(FileError, match="not one of 2 recordings"):
        framed(tmp_path, {}, Source(["r0", "r1"], load), SIZE, 2, "count", skip_bad=True)
    assert not list(tmp_path.glob("*.json"))
