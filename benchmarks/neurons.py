"""Times a layer of LIF neurons alone: SpikingJelly's eager code against both engines; prints JSON.

    python benchmarks/neurons.py [--threads 2] [--repeats 15]

Runs of the three alternate on the same inputs, so that a busy machine slows all alike; a ratio is
one of medians. The limit is memory: the bytes that a pass must move (inputs once, outputs once)
against the bandwidth of a copy timed in the same rounds, into memory that is there (`copy`) and
into new memory (`clone`), which every layer has to ask for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import torch
from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor

from spikeport.core import neurons
from spikeport.core.neurons import engines

SHAPES = ((4, 8, 384, 32, 32), (4, 8, 48, 32, 32), (4, 8, 96, 8, 8))
CHOICES = ("spikingjelly", "plain", "compiled")
SETTINGS: dict[str, Any] = {
    "tau": 2.0,
    "surrogate_function": surrogate.Sigmoid(alpha=4.0),
    "detach_reset": True,
    "step_mode": "m",
}


def node(choice: str) -> Any:
    made = neuron.LIFNode if choice == "spikingjelly" else neurons.LIFNode
    return made(**SETTINGS)


def forward(layer: Any, x: Tensor, gradient: Tensor) -> Tensor:
    with torch.no_grad():
        spikes: Tensor = layer(x)
    return spikes


def forward_backward(layer: Any, x: Tensor, gradient: Tensor) -> Tensor:
    leaf = x.detach().requires_grad_()
    (dx,) = torch.autograd.grad(layer(leaf), leaf, gradient)
    return dx


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def timed(
    run: Callable[[Any, Tensor, Tensor], Tensor], shape: tuple[int, ...], repeats: int, passes: int
) -> dict[str, Any]:
    """`passes`: how often the input's size in bytes is read or written, without the membrane."""
    x, gradient = torch.randn(shape) * 2, torch.randn(shape)
    target = torch.empty_like(x)
    layers = {choice: node(choice) for choice in CHOICES}
    times: dict[str, list[float]] = {name: [] for name in (*CHOICES, "copy", "clone")}
    results = {}
    for number in range(repeats + 2):
        for choice, layer in layers.items():
            os.environ[engines.VARIABLE] = choice
            layer.reset()
            took = seconds(lambda layer=layer: run(layer, x, gradient))  # type: ignore[misc]
            # The first rounds compile, and fetch memory.
            if number >= 2:
                times[choice].append(took)
        times["copy"].append(seconds(lambda: target.copy_(x)))
        times["clone"].append(seconds(x.clone))
    for choice, layer in layers.items():
        os.environ[engines.VARIABLE] = choice
        layer.reset()
        results[choice] = run(layer, x, gradient)
    medians = {name: statistics.median(values) for name, values in times.items()}
    size = x.numel() * x.element_size()
    moved = passes * size + size // len(x)
    rate = {name: 2 * size / medians[name] for name in ("copy", "clone")}
    return {
        "median_ms": {name: round(1e3 * value, 3) for name, value in medians.items()},
        "times_as_fast": {
            choice: round(medians["spikingjelly"] / medians[choice], 2) for choice in CHOICES[1:]
        },
        "MB_moved": round(moved / 1e6, 1),
        "GB_per_s": {
            "compiled": round(moved / medians["compiled"] / 1e9, 2),
            **{name: round(value / 1e9, 2) for name, value in rate.items()},
        },
        "limit_ms": {name: round(1e3 * moved / value, 3) for name, value in rate.items()},
        "largest_difference": {
            choice: float((results[choice] - results["spikingjelly"]).abs().max())
            for choice in CHOICES[1:]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    report: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "spikingjelly": version("spikingjelly"),
        "threads": torch.get_num_threads(),
    }
    for shape in SHAPES:
        name = "x".join(map(str, shape))
        report[name] = {
            "forward": timed(forward, shape, arguments.repeats, passes=2),
            "forward_backward": timed(forward_backward, shape, arguments.repeats, passes=5),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
