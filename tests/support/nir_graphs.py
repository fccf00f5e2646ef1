"""Graphs that NIR can express, small and random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from hypothesis import strategies as st

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    AvgPool,
    ChannelNeuron,
    Conv,
    Delay,
    Input,
    Linear,
    MaxPool,
    MeanTime,
    MultiplyConstant,
    Neuron,
    Op,
    ParametricLIF,
    RepeatTime,
    Reshape,
    Scale,
    SumPool,
)

CHANNELS, SIDE = 3, 4


def random(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def chain(ops: Sequence[tuple[str, Op]], shape: tuple[int, ...], domain: str = "real") -> Graph:
    """Ops one after the other."""
    graph = Graph()
    graph.add("input", Input(shape, Domain(domain), True))
    last = "input"
    for name, op in ops:
        last = graph.add(name, op, [last], path=f"net.{name}").name
    graph.outputs = (last,)
    return graph


def runs_of(graph: Graph, frames: torch.Tensor) -> dict[str, torch.Tensor]:
    """The spikes of every neuron and the output, float64."""
    kept: dict[str, torch.Tensor] = {}

    def tap(node, value):
        if isinstance(node.op, Neuron):
            kept[node.name] = value.clone()

    kept["output"] = Interpreter(graph, torch.float64).run(frames.double(), tap)
    return kept


def conv(seed: int, kernel: int = 3, bias: bool = True) -> Conv:
    pad = kernel // 2
    weight = random(seed, CHANNELS, CHANNELS, kernel, kernel)
    given = random(seed + 1, CHANNELS) if bias else None
    return Conv(weight, given, (1, 1), (pad, pad), (1, 1))


NEURONS: dict[str, Op] = {
    "if": IF(0.7, 0.0),
    "if-reset": IF(0.9, -0.25),
    "lif": LIF(2.0, True, 0.4, 0.0),
    "lif-undecayed": LIF(3.0, False, 0.8, 0.0),
    "lif-odd": LIF(1.6180339887498949, True, 0.3, 0.1),
    "plif": ParametricLIF(weight=torch.tensor(0.3), decay_input=True, v_threshold=0.4, v_reset=0.0),
    "per-channel": ChannelNeuron(
        torch.tensor([1.5, 2.0, 4.0]).reshape(3, 1, 1).double(),
        None,
        True,
        torch.tensor([0.3, 0.4, 0.5]).reshape(3, 1, 1).double(),
        0.0,
    ),
}


def _block(kind: str, name: str, seed: int, graph: Graph, last: str, neuron: Op) -> str:
    def add(suffix: str, op: Op, *inputs: str) -> str:
        return graph.add(f"{name}.{suffix}", op, inputs, path=f"net.{name}.{suffix}").name

    fire = add("conv", conv(seed), last)
    if kind == "layer":
        return add("lif", neuron, fire)
    if kind == "residual":
        spikes = add("lif", neuron, fire)
        return add("sum", Add(), add("branch", conv(seed + 5, 1, bias=False), spikes), last)
    if kind == "twins":
        return add("lif", neuron, add("sum", Add(), fire, add("other", conv(seed + 9, 1), last)))
    if kind == "scaled":
        return add("lif", neuron, add("scale", Scale(0.5, 4.0), fire))
    if kind == "channel-scaled":
        factor = random(seed + 3, CHANNELS, 1, 1).abs()
        return add("lif", neuron, add("scale", MultiplyConstant(factor), fire))
    if kind == "max":
        spikes = add("lif", neuron, fire)
        return add("pool", MaxPool((3, 3), (1, 1), (1, 1)), spikes)
    if kind == "average":
        return add("pool", AvgPool((3, 3), (1, 1), (1, 1), True), add("lif", neuron, fire))
    if kind == "sum-pool":
        return add("pool", SumPool((3, 3), (1, 1), (1, 1)), add("lif", neuron, fire))
    if kind == "feedback":
        shape = (CHANNELS, SIDE, SIDE)
        back = add("back", Delay(f"{name}.again", shape, Domain.REAL))
        spikes = add("lif", neuron, add("sum", Add(), fire, back))
        add("again", conv(seed + 7, 1), spikes)
        return spikes
    if kind == "late":
        shape = (CHANNELS, SIDE, SIDE)
        spikes = add("lif", neuron, fire)
        return add("late", Delay(spikes, shape, Domain.SPIKE))
    raise ValueError(kind)


BLOCKS = (
    *("layer", "residual", "twins", "scaled", "channel-scaled", "max", "average", "sum-pool"),
    *("feedback", "late"),
)


@st.composite
def nir_graphs(draw: st.DrawFn) -> Graph:
    """A random graph that NIR expresses, sums expanded where several nodes read them."""
    graph = Graph()
    shape = (CHANNELS, SIDE, SIDE)
    static = draw(st.booleans())
    graph.add("input", Input(shape, Domain.REAL, not static))
    last = "input"
    if static:
        last = graph.add("stem", conv(1), [last]).name
        last = graph.add("shown", RepeatTime(3), [last]).name
    kinds = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4))
    for number, kind in enumerate(kinds):
        neuron = NEURONS[draw(st.sampled_from(sorted(NEURONS)))]
        seed = draw(st.integers(0, 1000))
        last = _block(kind, f"b{number}", seed, graph, last, neuron)
    last = graph.add("entry", IF(0.5, 0.0), [last]).name
    last = graph.add("flat", Reshape((CHANNELS * SIDE * SIDE,)), [last]).name
    over_time = draw(st.sampled_from(["no", "before", "after"]))
    if over_time == "before":
        last = graph.add("time", MeanTime(), [last]).name
    head = Linear(random(3, 5, CHANNELS * SIDE * SIDE), random(4, 5))
    last = graph.add("head", head, [last]).name
    if over_time == "after":
        last = graph.add("time", MeanTime(), [last]).name
    graph.outputs = (last,)
    return graph


def frames_for(graph: Graph, seed: int = 0) -> torch.Tensor:
    axes = (3, 2) if graph.input.per_step else (2,)
    return random(seed, *axes, *graph.input.shape)


def euler(
    inputs: np.ndarray,
    *,
    dt: float,
    tau: np.ndarray | None,
    r: np.ndarray,
    leak: np.ndarray | float = 0.0,
    threshold: np.ndarray | None = None,
    reset: np.ndarray | float = 0.0,
    above: bool = True,
) -> np.ndarray:
    """NIR's equations in plain Python, one neuron after the other. `inputs` `[T, N]`."""
    outputs = np.zeros_like(inputs)
    for neuron in range(inputs.shape[1]):
        at = lambda value: float(np.broadcast_to(value, inputs.shape[1:])[neuron])  # noqa: B023, E731
        v = at(leak) if tau is not None else (at(reset) if threshold is not None else 0.0)
        for step in range(inputs.shape[0]):
            x = float(inputs[step, neuron])
            slope = at(r) * x if tau is None else ((at(leak) - v) + at(r) * x) / at(tau)
            v = v + dt * slope
            if threshold is None:
                outputs[step, neuron] = v
                continue
            fired = v > at(threshold) if above else v >= at(threshold)
            outputs[step, neuron] = float(fired)
            v = at(reset) if fired else v
    return outputs
