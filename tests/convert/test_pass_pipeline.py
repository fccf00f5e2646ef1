from dataclasses import replace

import pytest
import torch
from nets import lively
from pass_graphs import static_image
from spikingjelly.activation_based import neuron
from torch import nn

from spikeport.convert import ops, trace
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.passes import (
    PASSES,
    run_passes,
)
from spikeport.core.errors import CheckFailed, UnknownNameError


def test_passes_run_in_order_and_are_noted() -> None:
    x = torch.rand(2, 4, 6, 6)
    before = static_image()
    after = run_passes(before, ["cancel-views", "hoist-static", "fold-batch-norm"], x)
    # There was no view to cancel.
    assert after.metadata["passes"] == ["hoist-static", "fold-batch-norm"]
    assert "passes" not in before.metadata
    with pytest.raises(UnknownNameError, match="hoist-static"):
        run_passes(before, ["hoist"], x)


def test_a_pass_that_changes_a_spike_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def mute(graph: Graph) -> Graph:
        return rebuilt(graph, {"lif": ops.LIF(2.0, True, 1000.0, 0.0)})

    monkeypatch.setitem(PASSES._entries, "mute", mute)
    with pytest.raises(CheckFailed, match=r"stem.lif: pass mute changes \d+ of \d+ spikes"):
        run_passes(static_image(), ["mute"], torch.rand(2, 4, 6, 6) * 3)


def test_a_pass_that_moves_the_output_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(graph: Graph) -> Graph:
        layer = graph["shortcut"].op
        return rebuilt(graph, {"shortcut": replace(layer, weight=layer.weight * 1.001)})

    monkeypatch.setitem(PASSES._entries, "louder", louder)
    with pytest.raises(CheckFailed, match="sum: pass louder moves the output"):
        run_passes(static_image(), ["louder"], torch.rand(2, 4, 6, 6))


def test_a_pass_that_adds_a_neuron_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def spiking(graph: Graph) -> Graph:
        return rebuilt(graph, {"sum": ops.Add(), "shortcut": ops.IF(1.0, 0.0)})

    monkeypatch.setitem(PASSES._entries, "spiking", spiking)
    with pytest.raises(CheckFailed, match="shortcut: pass spiking adds a neuron"):
        run_passes(static_image(), ["spiking"], torch.rand(2, 4, 6, 6))


def test_folding_keeps_exact_ties_of_attention() -> None:
    """Counts times 0.125 against 0.5, behind a folded layer: a count of 4 still fires."""
    torch.manual_seed(0)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.norm = nn.Conv1d(8, 24, 1, bias=False), nn.BatchNorm1d(24)
            self.first = neuron.LIFNode(step_mode="m", v_threshold=0.3)
            self.attn = neuron.LIFNode(step_mode="m", v_threshold=0.5, decay_input=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            current = self.norm(self.qkv(x.flatten(0, 1))).unflatten(0, x.shape[:2])
            q, k, v = self.first(current).chunk(3, dim=2)
            return self.attn(v @ (k.transpose(-1, -2) @ q) * 0.125)

    model = lively(Attention())
    graph = trace(model, torch.rand(4, 2, 8, 10) * 2, passes=["merge-identical"])
    counts: list[torch.Tensor] = []

    def keep(node: object, value: torch.Tensor) -> None:
        if node.name == graph["attn"].inputs[0]:  # type: ignore[attr-defined]
            counts.append(value.clone())

    spikes = Interpreter(graph, torch.float64).run(torch.rand(4, 2, 8, 10) * 2, keep)
    ties = counts[0][0] == 0.5
    assert ties.sum() > 0
    assert bool((spikes[0][ties] == 1).all())
    assert graph.metadata["passes"] == ["fold-batch-norm"]
