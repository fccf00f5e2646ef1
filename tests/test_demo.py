"""What the demo counts does not depend on how its recordings are batched."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from spikeport import runs
from spikeport.convert import Graph
from spikeport.convert.domain import Domain
from spikeport.convert.ops import LIF, Conv, Input, Linear, MeanTime, Reshape
from spikeport.demo import MODEL, Demo
from spikeport.report import gather
from spikeport.train.data import FrameDataset


def net() -> Graph:
    """Event frames `[4, 2, 5, 5]` to 3 classes."""
    make = torch.Generator().manual_seed(0)
    graph = Graph(outputs=("head",))
    graph.add("x", Input((2, 5, 5), Domain.GRADED, True))
    weight = torch.randn(3, 2, 3, 3, generator=make)
    graph.add("conv", Conv(weight, None, (1, 1), (1, 1), (1, 1)), ["x"])
    graph.add("lif", LIF(2.0, True, 0.3, 0.0), ["conv"])
    graph.add("flat", Reshape((75,)), ["lif"])
    graph.add("time", MeanTime(), ["flat"])
    graph.add("head", Linear(torch.randn(3, 75, generator=make), None), ["time"])
    return graph


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_intervals_for_any_batch_size(
    batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.random.default_rng(0)
    frames = drawn.poisson(0.4, (20, 4, 2, 5, 5)).astype(np.uint8)
    labels = drawn.integers(3, size=20)
    data = FrameDataset("digits/test", "drawn", ("0", "1", "2"), frames, labels)

    def counted(size: int, folder: Path) -> pd.DataFrame:
        monkeypatch.setattr(runs, "BATCH", size)
        demo = Demo(folder, Console(file=io.StringIO()))
        report = demo._energy(runs.Run(net(), data, len(data)))
        assert report.totals["sop_high"] > report.totals["sop_low"]
        # The page of the folder has what its drawing of the network is made from.
        (subject,) = gather([folder])
        assert subject.name == MODEL
        assert [node.node for node in subject.energy.network.nodes] == [n.name for n in net()]
        return pd.read_csv(folder / "layers.csv")

    whole = counted(20, tmp_path / "whole")
    assert whole.equals(counted(batch, tmp_path / "split"))
