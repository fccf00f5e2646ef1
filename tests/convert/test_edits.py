"""Edited outputs: what stands behind a node sees them, the node itself does not."""

from __future__ import annotations

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Add, Delay, Input, Scale
from spikeport.core.errors import UnknownNameError, UsageError


def chain() -> Graph:
    graph = Graph(outputs=("twice",))
    graph.add("x", Input((3,), Domain.REAL, True))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["x"])
    graph.add("twice", Scale(2.0), ["lif"])
    return graph


def test_readers_and_taps_see_the_edit() -> None:
    frames = 3 * torch.rand(4, 5, 3, generator=torch.Generator().manual_seed(0))
    plain = Interpreter(chain()).run(frames)
    seen = {}
    edited = Interpreter(chain(), edits={"lif": lambda spikes: spikes.flip(0)})
    assert torch.equal(
        edited.run(frames, lambda node, value: seen.setdefault(node.name, value.clone())),
        plain.flip(0),
    )
    assert torch.equal(2 * seen["lif"], plain.flip(0))
    assert not torch.equal(plain, plain.flip(0))


def test_a_loop_runs_as_it_is_and_is_edited_behind() -> None:
    graph = Graph(outputs=("out",))
    graph.add("x", Input((2,), Domain.REAL, True))
    graph.add("back", Delay("lif", (2,), Domain.SPIKE))
    graph.add("sum", Add(), ["x", "back"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["sum"])
    graph.add("out", Scale(1.0), ["lif"])
    frames = 3 * torch.rand(6, 4, 2, generator=torch.Generator().manual_seed(1))
    plain = Interpreter(graph).run(frames)
    zeros = Interpreter(graph, edits={"lif": torch.zeros_like})
    flipped = Interpreter(graph, edits={"lif": lambda spikes: spikes.flip(0)})
    assert 0 < plain.mean() < 1
    assert not zeros.run(frames).any()
    assert torch.equal(flipped.run(frames), plain.flip(0))


def test_refusals() -> None:
    with pytest.raises(UnknownNameError, match="lif"):
        Interpreter(chain(), edits={"lfi": lambda spikes: spikes})
    with pytest.raises(UsageError, match="same shape"):
        Interpreter(chain(), edits={"lif": lambda spikes: spikes[1:]}).run(torch.ones(4, 1, 3))
