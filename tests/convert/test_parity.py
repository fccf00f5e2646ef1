"""The parity run must find what is wrong: tests that plant an error and look for its name."""

from dataclasses import replace

import pytest
import torch
from nets import NETS, lively
from spikingjelly.activation_based import neuron
from torch import nn

from spikeport.convert import trace, verify
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import LIF, Conv, Linear
from spikeport.core.errors import CheckFailed


@pytest.fixture
def traced() -> tuple[Graph, nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    model = lively(NETS["batch-first"][0]())
    x = torch.rand(3, 5, 2, 8, 8) * 9
    return trace(model, x), model, x


def test_a_changed_weight_is_found_at_the_first_neuron_behind_it(
    traced: tuple[Graph, nn.Module, torch.Tensor],
) -> None:
    graph, model, x = traced
    conv = graph["second.0"].op
    assert isinstance(conv, Conv)
    wrong = rebuilt(graph, {"second.0": replace(conv, weight=conv.weight + 1.0)})
    with pytest.raises(CheckFailed, match=r"^last: \d+ of 60 spikes differ .* step \d+, sample"):
        verify(wrong, model, x)


def test_a_wrong_threshold_is_found(traced: tuple[Graph, nn.Module, torch.Tensor]) -> None:
    graph, model, x = traced
    lif = graph["lif"].op
    assert isinstance(lif, LIF)
    wrong = rebuilt(graph, {"lif": replace(lif, v_threshold=1.1)})
    with pytest.raises(CheckFailed, match=r"^lif: .*graph 0, model 1"):
        verify(wrong, model, x)


def test_a_wrong_read_out_behind_equal_spikes_is_found() -> None:
    torch.manual_seed(0)
    model = lively(NETS["image-repeat"][0]())
    x = torch.rand(3, 3, 8, 8)
    graph = trace(model, x)
    head = graph["head"].op
    assert isinstance(head, Linear)
    assert head.bias is not None
    wrong = rebuilt(graph, {"head": replace(head, bias=head.bias + 1e-6)})
    with pytest.raises(CheckFailed, match=r"outputs differ by 1e-06"):
        verify(wrong, model, x)


def test_silent_layers_are_told() -> None:
    model = nn.Sequential(neuron.IFNode(step_mode="m"))
    graph = trace(model, torch.ones(4, 2, 3))
    assert verify(graph, model, torch.ones(4, 2, 3)).silent == ()
    assert verify(graph, model, torch.zeros(4, 2, 3)).silent == ("0",)


def test_a_neuron_that_nothing_reads_is_told() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read, self.unread = neuron.IFNode(step_mode="m"), neuron.LIFNode(step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unread(x)
            return self.read(x)

    graph = trace(Idle(), torch.ones(4, 2, 3))
    assert graph.metadata["certificate"]["unread"] == ["unread"]
