"""Whole networks against SpikingJelly's counters, layer by layer; `docs/counting.md` has the rest.

The counters watch the PyTorch model, the tally watches the traced graph, both in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from peer_nets import lively, plain_net
from spikingjelly.activation_based.op_counter import ACCounter, DispatchCounterMode, SynOpCounter
from torch import Tensor, nn

from spikeport.convert import Graph, Interpreter, trace
from spikeport.convert.graph import Node
from spikeport.estimate import Tally, Term
from spikeport.train.models import create_model

LAYERS = ("conv", "linear")
LAYER_CALLS = ("convolution", "mm", "addmm")
PRODUCT_CALLS = ("bmm", "baddbmm")


@dataclass(frozen=True)
class Compared:
    """One network, counted by both; the counters' figures by module path and call."""

    graph: Graph
    tally: Tally
    counters: tuple[dict[tuple[str, str], int], ...]

    def nodes(self, *kinds: str) -> list[Node]:
        return [node for node in self.graph if node.op.kind in kinds]

    def domains(self, node: Node) -> set[str]:
        return {self.graph[source].domain.value for source in node.inputs}

    def theirs(self, path: str, calls: tuple[str, ...]) -> list[int]:
        return [sum(counts.get((path, call), 0) for call in calls) for counts in self.counters]


def compared(model: nn.Module, frames: Tensor, **options: str) -> Compared:
    graph = trace(model, frames, **options)  # type: ignore[arg-type]
    counters = SynOpCounter(), ACCounter()
    with torch.no_grad(), DispatchCounterMode(list(counters)):
        model.double()(frames.double())
    tally = Tally.over(Interpreter(graph, torch.float64), [frames])
    scope = f"{type(model).__name__}."
    return Compared(graph, tally, tuple(by_path(each, scope) for each in counters))


def by_path(counter: SynOpCounter | ACCounter, scope: str) -> dict[tuple[str, str], int]:
    return {
        (name.removeprefix(scope), call.__name__.split(".")[0]): count
        for name, found in counter.get_counts().items()
        for call, count in found.items()
    }


@cache
def max_former() -> Compared:
    torch.manual_seed(0)
    return compared(lively(create_model("max_former_cifar")), torch.randn(2, 3, 32, 32))


@cache
def plain() -> Compared:
    torch.manual_seed(0)
    spikes = (torch.rand(4, 3, 2, 16, 16) < 0.4).float()
    return compared(plain_net(), spikes, layout="TBCHW", input_domain="spike")


@pytest.mark.parametrize(("network", "layers"), [(plain, 4), (max_former, 25)])
def test_layers_on_spikes_are_equal_to_the_last_operation(network, layers: int) -> None:  # type: ignore[no-untyped-def]
    both = network()
    on_spikes = [node for node in both.nodes(*LAYERS) if both.domains(node) == {"spike"}]
    assert len(on_spikes) == layers
    for node in on_spikes:
        ours = both.tally.total(node.name, Term.SOP)
        assert ours > 0, node.path
        assert both.theirs(node.path, LAYER_CALLS) == [ours, ours], node.path


def test_attention_is_equal_to_the_last_operation() -> None:
    both = max_former()
    products = both.nodes("matmul")
    for path in {node.path for node in products}:
        names = [node.name for node in products if node.path == path]
        # Spikes times spikes, then whole numbers times spikes.
        assert len(names) == 2
        ours = sum(both.tally.total(name, Term.SOP) for name in names)
        assert ours > 0
        assert both.theirs(path, PRODUCT_CALLS) == [ours, ours]


def test_intended_differences_are_those_that_are_documented() -> None:
    both = max_former()
    differing = {
        node.path: both.domains(node)
        for node in both.nodes(*LAYERS)
        if both.domains(node) != {"spike"}
    }
    # A stem on images: multiply-accumulates here, nothing there.
    # A head on the time mean of spikes: additions of the spikes here, nothing there.
    assert differing == {"patch_embed1.proj_conv": {"real"}, "head": {"scaled"}}
    assert all(both.theirs(path, LAYER_CALLS) == [0, 0] for path in differing)
    assert both.tally.total("patch_embed1.proj_conv", Term.MAC) > 0
    assert both.tally.total("head", Term.SOP) > 0


def test_they_take_a_blank_image_for_spikes() -> None:
    """Domains that are sniffed from values change with the data; ours do not."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False))
    counter = SynOpCounter()
    with torch.no_grad(), DispatchCounterMode([counter]):
        model(torch.ones(1, 1, 5, 5))
    assert counter.get_total() == 2 * 9 * 9
