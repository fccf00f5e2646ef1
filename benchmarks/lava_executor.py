"""Times the integer executor against SpikingJelly's float network and Lava's stock models.

Same weights, same input, same threads, alternating in one process; a ratio is one of
medians. SpikingJelly runs its own neurons eagerly, with contiguous feature maps (as torch lays
them out by itself) and with the channels last. A model for static images reads frames here too.

    python benchmarks/lava_executor.py [--layers]
    python benchmarks/lava_executor.py --model max_former_event --batch 1 --stock 2
    python benchmarks/lava_executor.py --model max_former_event --batch 8 --stock 2

`--layers` adds a table of kernels and times. `--stock N` runs N steps of Lava's own process models
in this process, its convolution with sizes in int32 (in int8 it fails from 128 channels on); their
time does not depend on what the neurons do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from zoo_speed import contiguous, lively, replaced, spikingjelly

from spikeport.convert import trace
from spikeport.targets.lava import LavaArtefact, lower
from spikeport.targets.lava.kernels import Plan
from spikeport.targets.lava.kernels.base import Kernel
from spikeport.train.models import MODELS, create_model


def sample(name: str, batch: int, steps: int) -> Tensor:
    """Images, or frames of event counts."""
    entry, generator = MODELS[name], torch.Generator().manual_seed(0)
    if entry.static:
        return torch.randn(batch, *entry.input_shape, generator=generator) * 0.5
    rate = torch.full((batch, steps, *entry.input_shape), 0.5)
    return torch.poisson(rate, generator=generator).clamp(max=7)


def network(name: str, steps: int) -> nn.Module:
    torch.manual_seed(0)
    model = create_model(name, **({"steps": steps} if MODELS[name].static else {}))
    lively(model)
    return model.eval()


def steps_first(x: Tensor) -> Tensor:
    return x if x.dim() == 4 else x.transpose(0, 1)


def lowered(model: nn.Module, x: Tensor, options: argparse.Namespace) -> LavaArtefact:
    few, static = x[:2], MODELS[options.model].static
    graph = trace(model, few, input_domain="real" if static else "graded")
    given = {} if static else {"input_max": 7}
    return lower(
        graph,
        steps_first(few),
        weight_bits=options.bits,
        headroom=options.headroom,
        **given,
    )


def eager(model: nn.Module, frames: Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            scores = model(frames)
        functional.reset_net(model)
        return scores

    return run


def timed(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 2):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            if number >= 2:  # the first rounds compile, and fetch memory
                seconds[name].append(time.perf_counter() - started)
    return seconds


class Clock:
    """A kernel that notes how long it runs."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.seconds = kernel, 0.0

    def run(self, *inputs: Tensor) -> Tensor:
        started = time.perf_counter()
        value = self.kernel.run(*inputs)
        self.seconds += time.perf_counter() - started
        return value


def layers(artefact: LavaArtefact, frames: Tensor, repeats: int) -> list[dict[str, Any]]:
    """Median milliseconds of each node, over all chunks of the batch."""
    executor = artefact.executor()
    plan = executor._lava
    assert isinstance(plan, Plan)
    clocks = [Clock(step.kernel) for step in plan.steps]
    steps = [replace(step, kernel=clock) for step, clock in zip(plan.steps, clocks, strict=True)]
    executor._lava = replace(plan, steps=tuple(steps))
    executor.run(frames)
    spent: list[list[float]] = [[] for _ in clocks]
    for _ in range(repeats):
        for clock in clocks:
            clock.seconds = 0.0
        executor.run(frames)
        for times, clock in zip(spent, clocks, strict=True):
            times.append(1e3 * clock.seconds)
    return [
        {
            "node": step.node.name,
            "op": step.node.op.kind,
            "shape": list(step.node.shape),
            "kernel": step.kernel.name,
            "ms": round(statistics.median(times), 3),
        }
        for step, times in zip(plan.steps, spent, strict=True)
    ]


def stock_seconds(artefact: LavaArtefact, frames: Tensor, steps: int) -> float:
    """Seconds per Lava step of the stock models."""
    from spikeport.targets.lava.shim import import_lava

    import_lava()
    from lava.magma.core.decorator import implements, requires, tag
    from lava.magma.core.model.py.type import LavaPyType
    from lava.magma.core.resources import CPU
    from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
    from lava.proc.conv.models import PyConvModelFixed
    from lava.proc.conv.process import Conv

    from spikeport.targets.lava.frames import stepped_frames
    from spikeport.targets.lava.network import build_network
    from spikeport.targets.lava.pump import assembled
    from spikeport.targets.lava.retime import retime

    sizes = ("kernel_size", "stride", "padding", "dilation", "groups", "num_message_bits")
    wide = {name: LavaPyType(np.ndarray, np.int32, precision=32) for name in sizes}
    model = type("StockConv", (PyConvModelFixed,), {**wide, "__module__": __name__})
    model = implements(proc=Conv, protocol=LoihiProtocol)(requires(CPU)(tag("fixed_pt")(model)))
    one = stepped_frames(artefact.graph, frames)[:, :1]
    built = build_network(artefact.graph, retime(artefact.graph), one)
    _, step = assembled(built, model)
    started = time.perf_counter()
    for _ in range(steps):
        step.run()
    return (time.perf_counter() - started) / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="max_former_cifar")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--bits", type=int, default=8)
    parser.add_argument("--headroom", default="observed")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--layers", action="store_true")
    parser.add_argument("--stock", type=int, default=0, metavar="STEPS")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = network(options.model, options.steps)
    frames = sample(options.model, options.batch, options.steps)
    artefact = lowered(model, frames, options)
    executor, stepped = artefact.executor(), steps_first(frames)
    runs = {
        "integer": lambda: executor.run(stepped),
        "spikeport_float": eager(model, frames),
        "spikingjelly": contiguous(eager(replaced(model, spikingjelly), frames)),
        "spikingjelly_channels_last": eager(replaced(model, spikingjelly), frames),
    }
    seconds = timed(runs, options.repeats)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    report: dict[str, Any] = {
        "benchmark": "lava_executor",
        **vars(options),
        "torch": torch.__version__,
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "median_seconds": medians,
        "fastest_and_slowest": {k: [min(v), max(v)] for k, v in seconds.items()},
        "integer_is_times_as_fast_as": {k: v / medians["integer"] for k, v in medians.items()},
    }
    if options.stock:
        stock = stock_seconds(artefact, stepped, options.stock)
        ours = medians["integer"] / options.steps
        report["stock_seconds_per_step"] = stock
        report["integer_seconds_per_step"] = ours
        report["integer_is_times_as_fast_as_stock_per_sample"] = stock * options.batch / ours
    if options.layers:
        table = layers(artefact, stepped, options.repeats)
        for row in sorted(table, key=lambda row: -row["ms"]):
            print("{ms:9.3f} ms  {op:10} {kernel:22} {node} {shape}".format(**row))
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
