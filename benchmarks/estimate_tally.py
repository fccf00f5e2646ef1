"""What counting costs: time of an interpreter run with the tally over the run alone, as JSON.

    python benchmarks/estimate_tally.py [--width 64] [--batch 4] [--steps 4] [--threads 1]

The network is a small spiking transformer built by hand (convolutions, max pooling on currents,
depth-wise mixer, attention, MLP), so that the figure does not depend on the model zoo.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch

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
from spikeport.estimate import Tally


class Builder:
    """Adds layers to a graph, each reading the one before."""

    def __init__(self) -> None:
        self.graph = Graph()

    def conv(self, source: str, channels: int, kernel: int, groups: int = 1) -> str:
        shape = self.graph[source].shape
        fan_in = shape[0] // groups * kernel**2
        weight = torch.randn(channels, shape[0] // groups, kernel, kernel) * fan_in**-0.5 * 3
        op = Conv(weight, torch.zeros(channels), (1, 1), (kernel // 2,) * 2, (1, 1), groups)
        return self._add(op, source)

    def lif(self, source: str) -> str:
        return self._add(LIF(2.0, True, 1.0, 0.0), source)

    def pool(self, source: str) -> str:
        return self._add(MaxPool((3, 3), (2, 2), (1, 1)), source)

    def attention(self, source: str, heads: int) -> str:
        channels, height, width = self.graph[source].shape
        spikes = self.lif(source)
        shape = (heads, channels // heads, height * width)
        q, k, v = (
            self._add(Reshape(shape), self.lif(self.conv(spikes, channels, 1))) for _ in range(3)
        )
        mixed = self._add(MatMul(), v, self._add(Permute((0, 2, 1)), k))
        scaled = self._add(Scale(0.125), self._add(MatMul(), mixed, q))
        out = self.conv(
            self.lif(self._add(Reshape((channels, height, width)), scaled)), channels, 1
        )
        return self._add(Add(), source, out)

    def mixed(self, source: str) -> str:
        channels = self.graph[source].shape[0]
        return self._add(Add(), source, self.conv(self.lif(source), channels, 3, channels))

    def mlp(self, source: str) -> str:
        channels = self.graph[source].shape[0]
        hidden = self.conv(self.lif(source), 4 * channels, 1)
        return self._add(Add(), source, self.conv(self.lif(hidden), channels, 1))

    def head(self, source: str, classes: int) -> str:
        spikes = self.lif(self._add(Mean((1, 2)), source))
        features = self.graph[spikes].shape[0]
        mean = self._add(MeanTime(), spikes)
        return self._add(Linear(torch.randn(classes, features), None), mean)

    def _add(self, op: object, *sources: str) -> str:
        name = f"n{len(self.graph)}"
        self.graph.add(name, op, sources)  # type: ignore[arg-type]
        return name


def build(width: int, size: int) -> Graph:
    """Two stages at `width` and 2 `width` channels on `size` x `size` event frames."""
    net = Builder()
    net.graph.add("frames", Input((2, size, size), Domain.GRADED, True))
    x = net.conv("frames", width // 2, 3)
    x = net.pool(net.conv(net.lif(x), width, 3))
    x = net.mlp(net.mixed(x))
    x = net.pool(net.conv(net.lif(x), 2 * width, 3))
    x = net.mlp(net.attention(x, 8))
    net.graph.outputs = (net.head(x, 10),)
    return net.graph


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    defaults = {"width": 64, "size": 64, "batch": 4, "steps": 4, "repeats": 15, "threads": 1}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    # With several threads a busy machine makes them wait for each other, and ratios jump.
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    graph = build(options.width, options.size)
    executor, tally = Interpreter(graph), Tally(graph)
    shape = (options.steps, options.batch, 2, options.size, options.size)
    frames = torch.poisson(torch.full(shape, 0.3))
    tally.run(executor, frames)
    plain, counting = [], []
    # Alternating, so that a machine that slows down does so for both.
    for _ in range(options.repeats):
        plain.append(seconds(lambda: executor.run(frames)))
        counting.append(seconds(lambda: tally.run(executor, frames)))
    result: dict[str, object] = {
        "benchmark": "estimate_tally",
        **vars(options),
        "nodes": len(graph),
        "torch": torch.__version__,
    }
    # Minima: other work on the machine only ever adds time.
    for clock, index in {"wall": 0, "processor": 1}.items():
        without, with_tally = (min(each[index] for each in runs) for runs in (plain, counting))
        result |= {
            f"{clock}_seconds_plain": without,
            f"{clock}_seconds_with_tally": with_tally,
            f"{clock}_ratio": with_tally / without,
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
