"""A small network with everything that a Max-Former has, firing in every layer."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
import torch
from lava_nets import Builder, event_frames
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Linear, MatMul, Mean, MeanTime, Permute, Reshape, Scale
from spikeport.targets.lava import LavaArtefact, lower

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


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
