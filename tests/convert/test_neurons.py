"""The step functions against SpikingJelly's own nodes, in float64, bit for bit."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import neuron
from torch import nn

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import IF, LIF, ChannelNeuron, Input
from spikeport.convert.tracing.neurons import read_neuron
from spikeport.core import neurons as fused
from spikeport.core.errors import UnsupportedError


def run_op(module: nn.Module, current: torch.Tensor) -> torch.Tensor:
    graph = Graph(outputs=("n",))
    graph.add("x", Input(tuple(current.shape[2:]), "real", True))
    graph.add("n", read_neuron(module, "n"), ["x"])
    return Interpreter(graph, torch.float64).run(current)


@pytest.mark.parametrize("v_reset", [0.0, -0.3, None])
@pytest.mark.parametrize("threshold", [1.0, 0.5])
@pytest.mark.parametrize("kind", ["if", "lif", "lif-no-decay", "plif", "plif-no-decay"])
def test_spikes_equal_spikingjelly(kind: str, threshold: float, v_reset: float | None) -> None:
    common = {"v_threshold": threshold, "v_reset": v_reset, "step_mode": "m"}
    module = {
        "if": lambda: neuron.IFNode(**common),
        "lif": lambda: neuron.LIFNode(tau=1.7, **common),
        "lif-no-decay": lambda: neuron.LIFNode(tau=1.7, decay_input=False, **common),
        "plif": lambda: neuron.ParametricLIFNode(init_tau=1.7, **common),
        "plif-no-decay": lambda: neuron.ParametricLIFNode(1.7, decay_input=False, **common),
    }[kind]()
    current = torch.randn(9, 3, 40, generator=torch.Generator().manual_seed(1)).double() * 2
    spikes = run_op(module, current)
    with torch.no_grad():
        expected = module.double()(current)
    assert torch.equal(spikes, expected)
    assert 0.05 < spikes.mean() < 0.95


@settings(max_examples=60)
@given(st.lists(st.integers(-64, 64), min_size=1, max_size=12))
def test_exact_ties_fire(grid: list[int]) -> None:
    """On a grid of powers of two the membrane is exact, so h == threshold does occur."""
    current = torch.tensor(grid, dtype=torch.float64).reshape(-1, 1, 1) / 16
    v, expected = 0.0, []
    for x in current.flatten().tolist():
        h = v + (x - v) / 2
        expected.append(float(h >= 1.0))
        v = 0.0 if h >= 1.0 else h
    spikes = run_op(neuron.LIFNode(tau=2.0, step_mode="m"), current)
    assert spikes.flatten().tolist() == expected


def test_a_neuron_without_op_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match=r"a\.b: neuron QIFNode cannot be carried"):
        read_neuron(neuron.QIFNode(step_mode="m"), "a.b")


class Leakier(fused.LIFNode):
    def dynamics(self):
        return dataclasses.replace(super().dynamics(), tau=9.0)


class Stepwise(fused.LIFNode):
    def multi_step_forward(self, x_seq):
        return super().multi_step_forward(x_seq) * 0


class Renamed(fused.ParametricLIFNode):
    """Leaves the dynamics alone."""


@pytest.mark.parametrize("kind", ["IFNode", "LIFNode", "ParametricLIFNode"])
def test_fused_neurons_are_the_ops_of_those_they_stand_for(kind: str) -> None:
    common = {"v_threshold": 0.7, "v_reset": None, "step_mode": "m"}
    plain, ours = getattr(neuron, kind)(**common), getattr(fused, kind)(**common)
    assert str(read_neuron(ours, "n")) == str(read_neuron(plain, "n"))
    current = torch.randn(9, 3, 40, generator=torch.Generator().manual_seed(1)).double() * 2
    with torch.no_grad():
        assert torch.equal(run_op(ours, current), ours.double()(current))


def test_subclasses_of_fused_neurons_must_leave_the_dynamics_alone() -> None:
    assert read_neuron(Renamed(step_mode="m"), "n")
    for changed in (Leakier, Stepwise):
        with pytest.raises(UnsupportedError, match=f"neuron {changed.__name__} cannot be carried"):
            read_neuron(changed(step_mode="m"), "n")


def test_a_neuron_that_rounds_otherwise_is_refused() -> None:
    module = fused.LIFNode(step_mode="m")
    module.halving = True
    with pytest.raises(UnsupportedError, match="rounds otherwise"):
        read_neuron(module, "n")


@pytest.mark.parametrize("v_reset", [0.0, -0.3, None])
@pytest.mark.parametrize("kind", ["if", "lif", "lif-no-decay", "plif", "plif-no-decay"])
def test_parameters_per_channel(kind: str, v_reset: float | None) -> None:
    """Thresholds, time constants and learned leaks that differ between channels."""
    common = {"v_reset": v_reset, "step_mode": "m"}
    module = {
        "if": lambda: neuron.IFNode(**common),
        "lif": lambda: neuron.LIFNode(**common),
        "lif-no-decay": lambda: neuron.LIFNode(decay_input=False, **common),
        "plif": lambda: neuron.ParametricLIFNode(**common),
        "plif-no-decay": lambda: neuron.ParametricLIFNode(decay_input=False, **common),
    }[kind]()
    module.v_threshold = torch.tensor([0.4, 0.8, 1.2], dtype=torch.float64).reshape(3, 1)
    if kind.startswith("lif"):
        module.tau = torch.tensor([1.5, 2.0, 3.0], dtype=torch.float64).reshape(3, 1)
    if kind.startswith("plif"):
        module.w = nn.Parameter(torch.tensor([1.0, 0.0, -1.0]).reshape(3, 1))
    current = torch.randn(9, 2, 3, 40, generator=torch.Generator().manual_seed(1)).double() * 2
    assert isinstance(read_neuron(module, "n"), ChannelNeuron)
    spikes = run_op(module, current)
    with torch.no_grad():
        expected = module.double()(current)
    assert torch.equal(spikes, expected)
    rates = spikes.mean((0, 1, 3))
    assert 0.01 < rates[2] < rates[0] < 0.99


def test_a_threshold_in_a_tensor_of_one_number_is_a_number() -> None:
    """A learned threshold of the whole layer needs no op of its own."""
    module = neuron.LIFNode(step_mode="m")
    module.v_threshold = nn.Parameter(torch.tensor([0.3]))
    op = read_neuron(module, "n")
    assert isinstance(op, LIF)
    assert op.v_threshold == float(torch.tensor(0.3))
    current = torch.rand(4, 2, 5).double()
    with torch.no_grad():
        assert torch.equal(run_op(module, current), module.double()(current))


def test_a_learned_reset_value_that_is_not_the_start_is_refused() -> None:
    module = neuron.LIFNode(step_mode="m")
    module.v_reset = nn.Parameter(torch.tensor(0.3))
    with pytest.raises(UnsupportedError, match=r"n: its membrane starts at 0\.0, not at rest"):
        read_neuron(module, "n")


def test_a_threshold_that_is_never_reached_leaves_the_membrane_a_number() -> None:
    op, current = IF(math.inf, None), torch.ones(2, 3, dtype=torch.float64)
    state = op.initial(current)
    for step in range(1, 4):
        state, spikes = op.step(state, current)
        assert not spikes.any() and torch.equal(state.v, step * current)


def test_the_membrane_is_what_is_compared_with_the_threshold() -> None:
    op = LIF(2.0, True, 1.0, 0.0)
    current = torch.rand(3, 4).double() * 3
    h = op.membrane(op.initial(current), current)
    state, spikes = op.step(op.initial(current), current)
    assert torch.equal(spikes, (h >= 1.0).double())
    assert torch.equal(state.v, torch.where(h >= 1.0, 0.0, h))
