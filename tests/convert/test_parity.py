"""The parity run must find what is wrong: tests that plant an error and look for its name."""

import re
from dataclasses import replace

import pytest
import torch
from nets import NETS, lively
from spikingjelly.activation_based import neuron
from torch import nn

from spikeport.convert import trace, verify
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import IF, LIF, Conv, Linear
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
        verify(model, wrong, x)


def test_a_wrong_threshold_is_found(traced: tuple[Graph, nn.Module, torch.Tensor]) -> None:
    graph, model, x = traced
    lif = graph["lif"].op
    assert isinstance(lif, LIF)
    wrong = rebuilt(graph, {"lif": replace(lif, v_threshold=1.1)})
    with pytest.raises(CheckFailed, match=r"^lif: .*graph 0, model 1") as caught:
        verify(model, wrong, x)
    # Both membranes are the same; only what they are compared with differs.
    found = re.search(
        r"graph membrane (\S+), (\S+) from the threshold; model membrane (\S+), (\S+) from",
        caught.value.why,
    )
    assert found is not None
    ours, margin, theirs, other_margin = map(float, found.groups())
    assert ours == theirs
    assert margin == pytest.approx(ours - 1.1, rel=0.01) and margin < 0
    assert other_margin == pytest.approx(theirs - 0.2, rel=0.01) and other_margin >= 0


def test_the_first_difference_is_told_to_the_last_digit() -> None:
    """A membrane that meets its threshold exactly in the model, and by a rounding not here."""

    class Tie(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.n = nn.Linear(1, 1, bias=False), neuron.IFNode(step_mode="m")
            self.fc.weight.data.fill_(0.25)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.n(self.fc(x))

    model = Tie()
    x = torch.tensor([1.0, 1.0, 2.0, 0.0]).reshape(4, 1, 1).repeat(1, 2, 1)
    graph = trace(model, x)
    less = rebuilt(
        graph, {"fc": Linear(torch.tensor([[0.25 - 2**-50]], dtype=torch.float64), None)}
    )
    with pytest.raises(CheckFailed, match="2 of 8 spikes differ") as caught:
        verify(model, less, x)
    assert "step 2, sample 0, position [0]: graph 0, model 1" in caught.value.why
    assert "model membrane 1, +0 from the threshold" in caught.value.why
    assert "graph membrane 0.99999999999999" in caught.value.why
    assert caught.value.where == "n"


def test_the_sample_is_told_by_its_number_beyond_the_first_batch() -> None:
    model = nn.Sequential(neuron.IFNode(step_mode="m"))
    graph = trace(model, torch.ones(2, 2, 3))
    wrong = rebuilt(graph, {"0": IF(5.0, 0.0)})
    x = torch.zeros(2, 40, 3)
    x[1, 37, 2] = 1.0
    with pytest.raises(CheckFailed, match=r"step 1, sample 37, position \[2\]: graph 0, model 1"):
        verify(model, wrong, x)
    certificate = verify(model, graph, x)
    assert (certificate.spikes, certificate.fired) == (240, 1)
    assert certificate.input_shape == (2, 40, 3)


def test_both_neurons_of_a_merged_pair_are_compared() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = neuron.IFNode(step_mode="m"), neuron.IFNode(step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.a(x) + self.b(x)

    graph = trace(Pair(), torch.rand(4, 2, 3), passes=["merge-identical"])
    assert [node.path for node in graph if isinstance(node.op, IF)] == ["a"]
    certificate = graph.metadata["certificate"]
    assert (certificate["neurons"], certificate["unread"]) == (2, [])
    other = Pair()
    other.b.v_threshold = 0.4
    with pytest.raises(CheckFailed, match=r"^b: "):
        verify(other, graph, torch.rand(4, 2, 3))


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
        verify(model, wrong, x)


def test_silent_layers_are_told() -> None:
    model = nn.Sequential(neuron.IFNode(step_mode="m"))
    graph = trace(model, torch.ones(4, 2, 3))
    assert verify(model, graph, torch.ones(4, 2, 3)).silent == ()
    assert verify(model, graph, torch.zeros(4, 2, 3)).silent == ("0",)


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
