"""What other converters get wrong without a word, each once: here it is right, or refused."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from nets import lively
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from spikeport.convert import Interpreter, trace, verify
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    BatchNorm,
    Conv,
    Linear,
    MaxPool,
    Neuron,
    ParametricLIF,
)
from spikeport.core.errors import CheckFailed, UnsupportedError


class Written(nn.Module):
    """A forward given as a function of (module, x), with layers and neurons to use in it."""

    def __init__(
        self, forward: Callable[["Written", Tensor], Tensor], **modules: nn.Module
    ) -> None:
        super().__init__()
        self.written = forward
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        return self.written(self, x)


def lif(**options: object) -> nn.Module:
    return neuron.LIFNode(step_mode="m", **options)


def only(graph: Graph, kind: type) -> Graph:
    """The one node of a kind."""
    (node,) = (node for node in graph if isinstance(node.op, kind))
    return node


X = torch.rand(4, 3, 6, generator=torch.Generator().manual_seed(0)) * 2


def test_x_plus_x_has_two_edges() -> None:
    """One edge in a simple graph library, which halves the value."""
    graph = trace(Written(lambda s, x: s.lif(x + x), lif=lif()), X)
    add = only(graph, Add)
    assert add.inputs == (graph.input.name, graph.input.name)
    # 0.6 + 0.6 charges a membrane to 0.6, then 0.9, then 1.05; halved it stays below 0.6 for ever.
    x = torch.full((3, 1, 6), 0.6)
    assert Interpreter(graph).run(x)[:, 0, 0].tolist() == [0, 0, 1]


def test_a_constant_is_added() -> None:
    graph = trace(Written(lambda s, x: s.lif(x + 1.0), lif=lif()), X)
    assert Interpreter(graph).run(torch.full((1, 1, 6), 1.0)).tolist() == [[[1.0] * 6]]
    graph = trace(Written(lambda s, x: s.lif(1.0 + x), lif=lif()), X)
    assert Interpreter(graph).run(torch.full((1, 1, 6), 1.0)).sum() == 6


def test_a_bias_of_a_linear_layer_is_there() -> None:
    net = Written(lambda s, x: s.lif(s.fc(x)), lif=lif(), fc=nn.Linear(6, 6))
    net.fc.weight.data.zero_()
    net.fc.bias.data.fill_(2.0)
    graph = trace(net, X)
    assert torch.equal(only(graph, Linear).op.bias, net.fc.bias)
    assert Interpreter(graph).run(torch.zeros(1, 1, 6)).sum() == 6


@pytest.mark.parametrize("kind", ["if", "lif", "parametric"])
def test_a_soft_reset_stays_soft(kind: str) -> None:
    make = {
        "if": neuron.IFNode,
        "lif": neuron.LIFNode,
        "parametric": neuron.ParametricLIFNode,
    }[kind]
    graph = trace(Written(lambda s, x: s.n(x), n=make(v_reset=None, step_mode="m")), X * 3)
    assert only(graph, Neuron).op.v_reset is None
    if kind == "if":
        # 2.5 leaves 1.5, which fires again without input, and 0.5, which does not.
        x = torch.tensor([2.5, 0.0, 0.0]).reshape(3, 1, 1).expand(3, 1, 6)
        assert Interpreter(graph).run(x)[:, 0, 0].tolist() == [1, 1, 0]
        hard = rebuilt(graph, {"n": replace(only(graph, Neuron).op, v_reset=0.0)})
        with pytest.raises(CheckFailed, match="n: "):
            verify(Written(lambda s, x: s.n(x), n=make(v_reset=None, step_mode="m")), hard, X * 3)


def test_a_batch_norm_is_not_dropped() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        layer.Conv2d(2, 4, 3, bias=False, step_mode="m"), layer.BatchNorm2d(4, step_mode="m"), lif()
    )
    x = torch.rand(4, 2, 2, 6, 6)
    quiet = trace(net, x)
    assert quiet.metadata["certificate"]["fired"] == 0
    net[1].bias.data.fill_(3.0)
    graph = trace(net, x)
    assert graph.metadata["certificate"]["fired"] == graph.metadata["certificate"]["spikes"]
    assert float(only(graph, Conv).op.bias.min()) == pytest.approx(3.0)
    unfolded = trace(net, x, fold=False)
    assert only(unfolded, BatchNorm).op.offset is not None


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_grouped_convolution_is_not_taken_as_dense(groups: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, groups=groups)
    graph = trace(
        Written(
            lambda s, x: s.lif(s.conv(x.flatten(0, 1)).view(*x.shape[:2], 8, 4, 4)),
            conv=conv,
            lif=lif(v_threshold=0.2),
        ),
        torch.rand(4, 2, 4, 6, 6) * 3,
    )
    op = only(graph, Conv).op
    assert op.groups == groups
    assert tuple(op.weight.shape) == (8, 4 // groups, 3, 3)
    assert graph.metadata["certificate"]["fired"] > 0


def pooled_currents() -> nn.Module:
    torch.manual_seed(0)
    return lively(
        nn.Sequential(
            layer.Conv2d(2, 8, 3, padding=1, bias=False, step_mode="m"),
            layer.BatchNorm2d(8, step_mode="m"),
            layer.MaxPool2d(2, 2, step_mode="m"),
            lif(),
        )
    )


def test_a_maximum_of_currents_is_not_a_maximum_of_spikes() -> None:
    """Both are the same at T = 1, so a check with one step sees nothing."""
    x = torch.rand(4, 2, 2, 16, 16, generator=torch.Generator().manual_seed(1)) * 3
    model = pooled_currents()
    graph = trace(model, x)
    pool = only(graph, MaxPool)
    assert not pool.domain.is_event
    swapped = Graph(outputs=("pool",), metadata=dict(graph.metadata))
    swapped.add("input", graph.input.op)
    swapped.add("conv", only(graph, Conv).op, ["input"])
    swapped.add("3", only(graph, LIF).op, ["conv"], path="3")
    swapped.add("pool", pool.op, ["3"])
    right, wrong = (Interpreter(g, torch.float64).run(x) for g in (graph, swapped))
    assert torch.equal(right[0], wrong[0])
    assert 0.02 < (right != wrong).double().mean() < 0.5
    with pytest.raises(CheckFailed, match=r"^3: "):
        verify(model, swapped, x)


def test_an_unknown_layer_is_not_skipped() -> None:
    with pytest.raises(UnsupportedError, match=r"^gelu: operation aten\.gelu"):
        trace(Written(lambda s, x: s.lif(s.gelu(x)), lif=lif(), gelu=nn.GELU()), X)


def test_the_users_weights_are_not_changed() -> None:
    model = pooled_currents().train()
    before = copy.deepcopy(model.state_dict())
    modules = list(model.modules())
    trace(model, torch.rand(4, 2, 2, 16, 16))
    assert list(model.modules()) == modules
    assert model.training
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert model[0].weight.requires_grad


@pytest.mark.parametrize(
    ("decay_input", "needed"),
    [(True, 8), (False, 4)],
)
def test_decay_input_is_read_not_assumed(decay_input: bool, needed: int) -> None:
    """Attention of scale 0.125 and threshold 0.5: the count that fires at the first step."""

    def forward(s: Written, x: Tensor) -> Tensor:
        return s.attn(x.sum(-1, keepdim=True) * 0.125)

    attn = lif(v_threshold=0.5, decay_input=decay_input)
    graph = trace(Written(forward, attn=attn), torch.ones(4, 2, 9))
    assert only(graph, LIF).op.decay_input is decay_input
    fires = [
        count
        for count in range(10)
        if float(Interpreter(graph, torch.float64).run(_ones(count)).sum()) > 0
    ]
    assert fires == list(range(needed, 10))


def _ones(count: int) -> Tensor:
    """One step and sample with that many spikes of nine."""
    return (torch.arange(9) < count).double().reshape(1, 1, 9)


@pytest.mark.parametrize("decay_input", [True, False])
def test_decay_input_of_parametric_neurons(decay_input: bool) -> None:
    node = neuron.ParametricLIFNode(init_tau=3.0, decay_input=decay_input, step_mode="m")
    graph = trace(Written(lambda s, x: s.n(x), n=node), X)
    op = only(graph, ParametricLIF).op
    assert op.decay_input is decay_input
    first = float(Interpreter(graph, torch.float64).run(torch.full((1, 1, 6), 2.9)).sum())
    assert first == (0 if decay_input else 6)


def test_infinite_thresholds_stay_infinite() -> None:
    graph = trace(Written(lambda s, x: s.n(x), n=lif(v_threshold=math.inf)), X)
    assert only(graph, LIF).op.v_threshold == math.inf


def test_state_between_samples_does_not_leak_into_the_graph() -> None:
    """A model that was run before, and not reset, is traced from rest."""
    model = nn.Sequential(neuron.IFNode(step_mode="m"))
    model(torch.full((3, 2, 4), 0.3))
    graph = trace(model, torch.full((3, 2, 4), 0.4))
    assert Interpreter(graph).run(torch.full((2, 1, 4), 0.4)).sum() == 0
    assert isinstance(only(graph, IF).op, IF)
    functional.reset_net(model)
