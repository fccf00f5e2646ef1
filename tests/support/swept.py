"""A network that runs on the digits in no time, and a grid of four cells for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from spikeport.convert import Domain, Graph
from spikeport.convert.ops import LIF, Conv, Input, Linear, MeanTime, Op, Reshape


def tiny_net(reset: float | None = None) -> Graph:
    """Frames 2 x 32 x 32 to 10 classes, untrained."""
    make = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 2, 8, 8, generator=make) / 4
    layers: dict[str, Op] = {
        "conv": Conv(weight, None, (8, 8), (0, 0), (1, 1)),
        "lif": LIF(2.0, True, 1.0, reset),
        "flat": Reshape((64,)),
        "time": MeanTime(),
        "head": Linear(torch.randn(10, 64, generator=make), None),
    }
    graph = Graph()
    graph.add("x", Input((2, 32, 32), Domain.GRADED, True))
    last = "x"
    for name, op in layers.items():
        last = graph.add(name, op, [last], path=name).name
    graph.outputs = (last,)
    return graph


def grid(folder: Path) -> dict[str, Any]:
    """Two numbers of steps and two thresholds."""
    if not (folder / "tiny.spg").exists():
        tiny_net().save(folder / "tiny.spg")
    return {
        "model": str(folder / "tiny.spg"),
        "samples": 20,
        "grid": {"steps": [1, 4], "threshold": [1.0, 2]},
    }


def without_time(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row, but for how long it took."""
    return {name: value for name, value in row.items() if name != "seconds"}
