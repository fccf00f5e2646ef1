"""onnxruntime against the interpreter, spike by spike: zoo, feedback, trained and random networks.

In float64 every spike is equal. In float32 sums in another order can move a membrane across its
threshold, and what follows is then another trajectory: flips are counted, and outputs compared in
samples without one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from random_nets import RandomNet, random_nets
from torch import Tensor
from zoo_graphs import CASES, traced

from spikeport import load_model
from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.ops import AddPerStep, Delay
from spikeport.core.errors import SpikeportError
from spikeport.targets.lowered import Run, run_executor
from spikeport.targets.onnx import OnnxExecutor, OnnxLowered, lower
from spikeport.train.data.named import open_data
from spikeport.train.models.mixers import MIXERS
from spikeport.train.models.stf.options import VARIANTS

FLIPS = 1e-4
"""Share of spikes that may differ in float32; seen: one of a million."""


def frames_for(graph: Graph, samples: int = 2, steps: int = 3) -> Tensor:
    shape = graph.input.shape
    make = torch.Generator().manual_seed(11)
    if not graph.input.per_step:
        return torch.randn(samples, *shape, generator=make)
    return torch.poisson(torch.full((steps, samples, *shape), 0.5), generator=make)


def runs(graph: Graph, lowered: OnnxLowered, frames: Tensor) -> tuple[Run, list[Run]]:
    dtype = getattr(torch, lowered.report.dtype)
    want = run_executor(Interpreter(graph, dtype), frames, "interpreter")
    return want, [lowered.run(frames, backend=name, spikes=True) for name in lowered.backends]


def flips(want: Run, got: Run) -> tuple[int, Tensor]:
    """How many spikes differ, and which samples have one that does."""
    assert list(want.spikes) == list(got.spikes) != []
    differ = [want.spikes[name] ^ got.spikes[name] for name in want.spikes]
    touched = torch.stack([each.transpose(0, 1).flatten(1).any(1) for each in differ]).any(0)
    return sum(int(each.sum()) for each in differ), touched


def prove(graph: Graph, frames: Tensor, *, least: float = 0.01) -> None:
    """Equal in float64; in float32 nearly so."""
    want, both = runs(graph, lower(graph, dtype="float64"), frames)
    total = sum(spikes.numel() for spikes in want.spikes.values())
    assert sum(int(spikes.sum()) for spikes in want.spikes.values()) > least * total
    for got in both:
        assert flips(want, got)[0] == 0, got.backend
        assert torch.allclose(got.outputs, want.outputs, rtol=0, atol=1e-10), got.backend
    want, both = runs(graph, lower(graph), frames)
    for got in both:
        count, touched = flips(want, got)
        assert count <= FLIPS * total, got.backend
        gap = (got.outputs - want.outputs)[~touched].abs()
        assert not gap.numel() or float(gap.max()) < 1e-4, got.backend
    # Both files compute the same way.
    assert torch.allclose(both[0].outputs, both[1].outputs, rtol=0, atol=1e-4) or count


@pytest.mark.parametrize("name", CASES)
def test_a_family_of_the_zoo(name: str) -> None:
    graph = traced(name, **CASES[name])
    prove(graph, frames_for(graph))


def often(names: Iterable[str], *few: str) -> list[Any]:
    """All names; those that add little to the few are run with the slow tests."""
    assert set(few) <= set(names)
    return [pytest.param(n, marks=[] if n in few else pytest.mark.slow) for n in names]


@pytest.mark.parametrize("mixer", often(MIXERS, "fft1d", "fft2d", "avg_pool", "sdsa"))
def test_a_token_mixer(mixer: str) -> None:
    stages = ({"embedding": "orig", "mixer": mixer},)
    graph = traced("max_former_cifar", dim=16, heads=4, steps=2, stages=stages)
    prove(graph, frames_for(graph))


@pytest.mark.parametrize("variant", often(VARIANTS, "arch_1", "arch_2", "stf_1"))
def test_temporal_feedback(variant: str) -> None:
    stages = ({"embedding": "orig", "mixer": "dwc3"},)
    graph = traced("max_former_cifar", dim=32, heads=4, steps=3, stages=stages, stf=variant)
    assert any(isinstance(node.op, Delay) for node in graph)
    prove(graph, frames_for(graph))
    lowered = lower(graph)
    timed = [node for node in graph if isinstance(node.op, AddPerStep)]
    assert len(lowered.report.warnings()) == len(timed)
    if timed:
        # The embedding knows three steps; the step graph does not invent a fourth.
        stream = lowered.stream().stream([frames_for(graph)] * 4)
        for _ in range(3):
            next(stream)
        with pytest.raises(SpikeportError, match="out of"):
            next(stream)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(random_nets())
def test_random_networks(net: RandomNet) -> None:
    graph = trace(net, net.sample(), fold=False)
    prove(graph, to_graph_layout(graph, net.sample(3)), least=0.0)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_nets())
def test_many_random_networks(net: RandomNet) -> None:
    graph = trace(net, net.sample(), fold=False)
    prove(graph, to_graph_layout(graph, net.sample(3)), least=0.0)


def test_the_trained_digits_network() -> None:
    data = open_data("digits", "test", steps=4)
    chosen = slice(0, None, len(data) // 60)
    frames = torch.from_numpy(data.frames[chosen].astype("float32")).transpose(0, 1).contiguous()
    labels = torch.from_numpy(data.labels[chosen])
    model = load_model("max_former_digits")
    graph = trace(model, frames[:, :2].transpose(0, 1), input_domain="graded")
    prove(graph, frames, least=0.1)
    scores = OnnxExecutor(graph).run(frames.repeat(1, 2, 1, 1, 1))
    assert scores.shape == (2 * frames.shape[1], 10)  # more than one chunk of samples
    want = Interpreter(graph).run(frames)
    assert torch.equal(scores[: len(want)].argmax(1), want.argmax(1))
    assert float((want.argmax(1) == labels).double().mean()) > 0.9
