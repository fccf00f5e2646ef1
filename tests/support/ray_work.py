"""What Ray's workers are given by the tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import torch
from torch import Tensor

from spikeport.convert import Graph, Interpreter
from spikeport.convert.executor import Tap
from spikeport.core.errors import UsageError


def square(shared: int, item: int) -> int:
    return shared * item**2


def dies_once(folder: str, item: int) -> int:
    """Kills the process that works on item 3, the first time."""
    mark = Path(folder) / "died"
    if item == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def refuses(_: None, item: int) -> int:
    if item == 2:
        raise UsageError("no twos.", where="item 2", fix="Leave them out.")
    return item


def breaks(_: None, item: int) -> float:
    return 1 / item


class DiesOnce(Interpreter):
    """Kills the process that runs the second batch, the first time."""

    def __init__(self, graph: Graph, mark: Path) -> None:
        super().__init__(graph, torch.float64)
        self._mark, self._batches = mark, 0

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        self._batches += 1
        if self._batches == 2 and not self._mark.exists():
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(frames, tap)
