"""Networks of random layers whose neurons fire, as graphs."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Add, Conv, Input, MaxPool


@dataclass
class Builder:
    """Adds layers to a graph; weights are scaled so that currents spread around the threshold."""

    frames: Tensor
    seed: int = 0
    graph: Graph = field(default_factory=Graph)
    image: bool = False

    def __post_init__(self) -> None:
        self.random = torch.Generator().manual_seed(self.seed)
        if "input" not in self.graph:
            whole = bool((self.frames == self.frames.round()).all())
            counts = Domain.GRADED if int(self.frames.max()) > 1 else Domain.SPIKE
            domain = counts if whole else Domain.REAL
            shape = tuple(self.frames.shape[1 if self.image else 2 :])
            self.graph.add("input", Input(shape, domain, per_step=not self.image))

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

        value = self.value(source)
        if self.graph[source].per_step:
            value = value.flatten(0, 1)
        probe = layer(weight, None).apply(value)
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
