"""A small network with everything that a Max-Former has, firing in every layer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Add,
    Conv,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    MeanTime,
    Permute,
    Reshape,
    Scale,
)
from spikeport.targets.lava import LavaArtefact, lower

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@dataclass
class Builder:
    """Adds layers to a graph; weights are scaled so that currents spread around the threshold."""

    frames: Tensor
    seed: int = 0
    graph: Graph = field(default_factory=Graph)

    def __post_init__(self) -> None:
        self.random = torch.Generator().manual_seed(self.seed)
        domain = Domain.GRADED if int(self.frames.max()) > 1 else Domain.SPIKE
        self.graph.add("input", Input(tuple(self.frames.shape[2:]), domain, per_step=True))

    def value(self, name: str) -> Tensor:
        self.graph.outputs = (name,)
        return Interpreter(self.graph, torch.float64).run(self.frames)

    def conv(
        self,
        name: str,
        source: str,
        out: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        mean: float = 0.5,
        spread: float = 1.2,
    ) -> str:
        channels, *space = self.graph[source].shape
        axes = len(space)
        weight = torch.randn(
            out, channels // groups, *[kernel] * axes, generator=self.random, dtype=torch.float64
        )
        # Gains that differ between channels, as folded batch norms leave them.
        weight *= torch.exp2(torch.rand(out, generator=self.random) * 2).reshape(
            -1, *[1] * (weight.ndim - 1)
        )

        def layer(w: Tensor, b: Tensor | None) -> Conv:
            same = lambda value: (value,) * axes  # noqa: E731
            return Conv(w, b, same(stride), same(kernel // 2), same(1), groups)

        probe = layer(weight, None).apply(self.value(source).flatten(0, 1))
        gain = spread / float(probe.std())
        per_channel = probe.mean(tuple(i for i in range(probe.ndim) if i != 1))
        bias = mean - per_channel * gain
        bias += 0.2 * torch.randn(out, generator=self.random, dtype=torch.float64)
        self.graph.add(name, layer(weight * gain, bias), (source,), path=name)
        return name

    def lif(self, name: str, source: str, threshold: float = 1.0) -> str:
        op = LIF(tau=2.0, decay_input=True, v_threshold=threshold, v_reset=0.0)
        self.graph.add(name, op, (source,), path=name)
        return name

    def pool(self, name: str, source: str) -> str:
        self.graph.add(name, MaxPool((3, 3), (2, 2), (1, 1)), (source,), path=name)
        return name

    def add(self, name: str, left: str, right: str) -> str:
        self.graph.add(name, Add(), (left, right), path=name)
        return name

    def op(self, name: str, op: object, *sources: str) -> str:
        self.graph.add(name, op, sources, path=name)
        return name


def event_frames(steps: int, samples: int, side: int, seed: int = 0) -> Tensor:
    """Poisson event counts `[T, B, 2, side, side]`."""
    random = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((steps, samples, 2, side, side), 0.5), generator=random)


def two_stages(frames: Tensor, seed: int = 0) -> Graph:
    """Embedding, depth-wise block, MLP, spiking self-attention, head; 10 layers of neurons."""
    b = Builder(frames, seed)
    x = b.lif("stem_lif", b.conv("stem", "input", 4, 3, mean=0.8))
    x = b.lif("embed_lif", b.pool("embed_pool", b.conv("embed", x, 8, 3)))
    main = b.pool("main_pool", b.conv("main", x, 8, 3))
    stream = b.add("stream", main, b.conv("shortcut", x, 8, 1, stride=2))
    mixed = b.conv("mixer", b.lif("mixer_lif", stream), 8, 3, groups=8, mean=-0.2, spread=0.8)
    stream = b.add("mixed", stream, mixed)
    stream = b.add(
        "mlp", stream, b.conv("fc", b.lif("fc_lif", stream), 8, 1, mean=-0.2, spread=0.8)
    )
    tokens = b.op("tokens", Reshape((8, 16)), b.lif("x_lif", stream))
    heads = {
        key: b.op(
            f"{key}_heads",
            Reshape((2, 4, 16)),
            b.lif(f"{key}_lif", b.conv(f"{key}_conv", tokens, 8, 1, mean=1.4, spread=1.5)),
        )
        for key in "qkv"
    }
    turned = b.op("k_turned", Permute((0, 2, 1)), heads["k"])
    weights = b.op("vk", MatMul(), heads["v"], turned)
    counts = b.op("vkq", MatMul(), weights, heads["q"])
    scaled = b.op("scaled", Scale(0.125), counts)
    attention = b.lif("attn_lif", b.op("merged", Reshape((8, 16)), scaled), threshold=0.5)
    projected = b.op("unflat", Reshape((8, 4, 4)), b.conv("proj", attention, 8, 1, mean=0.0))
    stream = b.add("attended", stream, projected)
    spikes = b.lif("head_lif", b.op("mean", Mean((1, 2)), stream))
    pooled = b.op("mean_time", MeanTime(), spikes)
    weight = torch.randn(5, 8, generator=b.random, dtype=torch.float64)
    b.graph.outputs = (b.op("head", Linear(weight, None), pooled),)
    return b.graph


def chain(frames: Tensor, seed: int = 0) -> Graph:
    """conv, max pool, neuron, conv, neuron: the smallest network with a process of ours."""
    b = Builder(frames, seed)
    x = b.lif("first_lif", b.pool("pool", b.conv("first", "input", 3, 3)))
    b.graph.outputs = (b.lif("second_lif", b.conv("second", x, 4, 1)),)
    return b.graph


@dataclass(frozen=True)
class Case:
    """A float graph, its calibration frames, and what it was lowered to."""

    graph: Graph
    frames: Tensor
    artefact: LavaArtefact


def case(graph: Graph, frames: Tensor) -> Case:
    """Each weight rounded to its nearest number: what is tested is the arithmetic."""
    return Case(graph, frames, lower(graph, frames, search="none"))


@pytest.fixture(scope="session")
def max_former() -> Case:
    frames = event_frames(steps=4, samples=3, side=16)
    return case(two_stages(frames), frames)


@pytest.fixture(scope="session")
def small_chain() -> Case:
    frames = event_frames(steps=3, samples=2, side=6)
    return case(chain(frames), frames)


@pytest.fixture
def make_chain():
    """A small random network and its frames, by seed."""

    def make(seed: int) -> tuple[Graph, Tensor]:
        frames = event_frames(steps=4, samples=2, side=6, seed=seed)
        return chain(frames, seed), frames

    return make


@pytest.fixture(scope="session")
def small_digits():
    """The trained digits model and four of its recordings `[T, B, C, H, W]`."""
    from digits_data import recordings

    from spikeport.train.checkpoint import load_model

    return load_model("max_former_digits"), recordings("train", 4)[0]
