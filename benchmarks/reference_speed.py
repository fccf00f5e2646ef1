"""The reference executor against SpikingJelly and against its own limit; one run, one JSON.

    python benchmarks/reference_speed.py                                  CIFAR Max-Former, B 8, T 4
    python benchmarks/reference_speed.py --model max_former_event --size 128 --steps 16 --batch 1
    python benchmarks/reference_speed.py --parts growth,memory

Same network, weights, frames and threads for all; runs alternate in one process, so that a busy
machine slows all alike, and a ratio is one of medians. SpikingJelly runs eagerly, as it comes:
contiguous, or with channels last. `limit` is what the convolutions and matrix products of our own
plan take by themselves, on tensors laid out as ours are, one after the other: no neurons, no
views, no sums. `--clock processor` (with one thread) counts the
processor time of this thread, which other programs on the machine hardly change. Parts: `speed`;
`growth`: time against T and against the batch, with a straight line through it; `memory`: largest
resident set of a process that does one thing.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from zoo_speed import contiguous, infer, lively, replaced, sample, spikingjelly

from spikeport.convert import Graph, Interpreter, to_graph_layout, trace
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.targets import TARGETS
from spikeport.targets.reference import ReferenceExecutor, flips
from spikeport.targets.reference.loop import Loop
from spikeport.train.models import MODELS, create_model

Job = Callable[[], object]


class Case:
    """One network, its graph and its frames."""

    def __init__(self, options: argparse.Namespace, steps: int, batch: int) -> None:
        entry = MODELS[options.model]
        sizes: dict[str, Any] = {"steps": steps} if entry.static else {}
        if options.size:
            sizes["image_size"] = (options.size, options.size)
        torch.manual_seed(0)
        self.model = create_model(options.model, **sizes).eval()
        lively(self.model)
        self.x = sample(options.model, batch, steps)
        if options.size:
            shape = (*self.x.shape[:-2], options.size, options.size)
            spread = torch.randn(shape) * 0.5
            self.x = spread if entry.static else (torch.rand(shape) < 0.05).float()

    @functools.cached_property
    def graph(self) -> Graph:
        # Traced on one sample and few steps: the graph holds for any number of them.
        x = self.x[:1].repeat(2, 1, 1, 1) if self.x.ndim == 4 else self.x[:1, :2]
        domain = Domain.REAL if self.x.ndim == 4 else Domain.SPIKE
        return trace(self.model, x, input_domain=domain)

    @functools.cached_property
    def frames(self) -> Tensor:
        return to_graph_layout(self.graph, self.x)

    def spikingjelly(self) -> nn.Module:
        return replaced(self.model, spikingjelly)


def limit(executor: ReferenceExecutor, frames: Tensor) -> Job:
    """The layers with weights and the matrix products of a plan, each on inputs as it has them."""
    calls: list[Job] = []
    plan, run = executor._plan, {}

    def watch(node: Any, value: Tensor) -> None:
        run[node.name] = value

    shapes: dict[str, tuple[int, ...]] = {}

    def note(node: Any, value: Tensor) -> None:
        name = plan.value.get(node.name, node.name)
        merged = value.flatten(0, 1) if name in plan.stepped else value
        shapes[node.name] = (*merged.shape, *merged.stride())

    executor.run(frames, note)
    dtypes = executor._setting
    for step in plan.steps:
        if isinstance(step.kernel, Loop):
            raise SystemExit("the limit of a network with feedback is not defined")
        layer = step.beside[0] if step.beside is not None else step.makes[0]
        if not isinstance(layer.op, Conv | Linear | MatMul):
            continue
        inputs = []
        for name in step.reads[: 1 if step.beside else None]:
            sizes = shapes[name]
            half = len(sizes) // 2
            dtype = dtypes.dtype_of(name in plan.stepped)
            inputs.append(
                torch.empty_strided(sizes[:half], sizes[half:], dtype=dtype).bernoulli_(0.2)
            )
        kernel = step.beside[1] if step.beside is not None else step.kernel
        calls.append(functools.partial(kernel, inputs, (1, 1), None))

    @torch.no_grad()
    def all_of_them() -> None:
        for call in calls:
            call()

    return all_of_them


def runs_of(case: Case, options: argparse.Namespace, halves: list[str]) -> dict[str, Job]:
    eager, last = case.spikingjelly(), case.spikingjelly()
    frames = case.frames
    ours = ReferenceExecutor(case.graph)
    jobs: dict[str, Job] = {
        "spikingjelly": contiguous(infer(eager, case.x)),
        "spikingjelly_channels_last": infer(last.to(memory_format=torch.channels_last), case.x),
        "float32": lambda: ours.run(frames),
        "limit": limit(ReferenceExecutor(case.graph), frames),
    }
    for name in halves:
        executor = ReferenceExecutor(case.graph, name)
        jobs[name] = functools.partial(executor.run, frames)
        jobs[f"limit_{name}"] = limit(ReferenceExecutor(case.graph, name), frames)
    jobs |= onnxruntime(case, options)
    return jobs


def onnxruntime(case: Case, options: argparse.Namespace) -> dict[str, Job]:
    """The unrolled network in onnxruntime, where that target is there and time is on the wall:
    onnxruntime has threads of its own."""
    if options.clock != "wall":
        return {}
    if "onnx" not in TARGETS or TARGETS["onnx"].lower is None:
        return {}
    lowered = TARGETS["onnx"].lower(case.graph, steps=options.steps, streaming=False)
    return {"onnxruntime": lambda: lowered.run(case.frames)}


CLOCKS = {"wall": time.perf_counter, "processor": time.thread_time}


def timed(jobs: dict[str, Job], options: argparse.Namespace) -> dict[str, list[float]]:
    now = CLOCKS[options.clock]
    for job in jobs.values():
        job()
        job()
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(options.repeats):
        for name, job in jobs.items():
            started = now()
            job()
            seconds[name].append(now() - started)
    return seconds


def speed(options: argparse.Namespace) -> dict[str, Any]:
    case = Case(options, options.steps, options.batch)
    halves = [name for name in options.halves.split(",") if name]
    seconds = timed(runs_of(case, options, halves), options)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    frames, reference = case.frames, Interpreter(case.graph, torch.float64)
    return {
        "median_ms": {name: round(1e3 * value, 1) for name, value in medians.items()},
        "fastest_and_slowest_ms": {
            name: [round(1e3 * end, 1) for end in (min(values), max(values))]
            for name, values in seconds.items()
        },
        "float32_over_its_limit": round(medians["float32"] / medians["limit"], 3),
        "spikingjelly_over": {
            name: round(medians["spikingjelly"] / medians[name], 2)
            for name in medians
            if name != "spikingjelly"
        },
        "flips_against_float64": {
            name: {
                key: value
                for key, value in flips(ReferenceExecutor(case.graph, name), frames, reference)
                .as_json()
                .items()
                if key != "layers"
            }
            for name in ("float32", *halves)
        },
    }


def line(at: list[int], seconds: list[float]) -> dict[str, Any]:
    """A straight line through medians, and how well it fits."""
    x, y = np.array(at, float), np.array(seconds)
    slope, start = np.polyfit(x, y, 1)
    residuals = y - (slope * x + start)
    return {
        "at": at,
        "ms": [round(1e3 * value, 1) for value in seconds],
        "ms_per_unit": round(1e3 * slope, 2),
        "ms_at_zero": round(1e3 * start, 2),
        "r_squared": round(1 - float((residuals**2).sum() / ((y - y.mean()) ** 2).sum()), 5),
        "residuals_ms": [round(1e3 * value, 2) for value in residuals],
    }


def growth(options: argparse.Namespace) -> dict[str, Any]:
    result = {}
    static = MODELS[options.model].static
    traced: dict[int, Graph] = {}  # by T where it is part of the model
    for axis, sizes in {
        "T": [(steps, options.batch) for steps in (2, 4, 8, 12, 16)],
        "batch": [(options.steps, batch) for batch in (1, 2, 4, 8, 12, 16)],
    }.items():
        jobs: dict[str, Job] = {}
        for steps, batch in sizes:
            case = Case(options, steps, batch)
            key = steps if static else 0
            if key not in traced:
                traced[key] = case.graph
            graph = traced[key]
            frames = to_graph_layout(graph, case.x)
            jobs[f"{steps}, {batch}"] = functools.partial(ReferenceExecutor(graph).run, frames)
        seconds = timed(jobs, options)
        at = [steps if axis == "T" else batch for steps, batch in sizes]
        result[axis] = line(at, [statistics.median(seconds[name]) for name in jobs])
    return result


def peak(options: argparse.Namespace) -> dict[str, Any]:
    """What this process needs beyond what it had before it ran the network: it does one thing."""
    case = Case(options, options.steps, options.batch)
    if options.alone == "spikingjelly":
        job = contiguous(infer(case.spikingjelly(), case.x))
    else:
        graph = Graph.load(options.graph)
        frames = to_graph_layout(graph, case.x)
        del case
        executor = ReferenceExecutor(graph, options.alone)
        job = lambda: executor.run(frames)  # noqa: E731
    before = _rss()
    job()
    job()
    return {"before_MB": before, "peak_MB": _rss()}


def _rss() -> float:
    """Largest resident set so far, in MB. Linux hands `ru_maxrss` down to child processes, so that
    a small child of a large process looks large; this one starts anew."""
    for text in Path("/proc/self/status").read_text().splitlines():
        if text.startswith("VmHWM:"):
            return round(int(text.split()[1]) / 1024, 1)
    raise SystemExit("this system tells no VmHWM")


def memory(options: argparse.Namespace) -> dict[str, Any]:
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/graph.spg"
        Case(options, options.steps, options.batch).graph.save(path)
        for name in ("spikingjelly", "float32", "bfloat16"):
            done = subprocess.run(
                [sys.executable, *sys.argv, "--alone", name, "--graph", path],
                capture_output=True,
                text=True,
                check=True,
            )
            result[name] = json.loads(done.stdout)
    return result


PARTS = {"speed": speed, "growth": growth, "memory": memory}


def processor() -> dict[str, Any]:
    return {
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "avx512_bf16": torch.cpu._is_avx512_bf16_supported(),
        "amx": torch.cpu._is_amx_tile_supported(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="max_former_cifar")
    parser.add_argument("--size", type=int, help="pixels on a side; the model's own by default")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--halves", default="bfloat16")
    parser.add_argument("--parts", default="speed")
    parser.add_argument("--alone", help="measure the memory of this process: internal")
    parser.add_argument("--graph", help="internal")
    options = parser.parse_args()
    if options.clock == "processor" and options.threads != 1:
        parser.error("--clock processor counts one thread: add --threads 1")
    torch.set_num_threads(options.threads)
    if options.alone:
        print(json.dumps(peak(options)))
        return
    found = {part: PARTS[part](options) for part in options.parts.split(",")}
    report = {
        "benchmark": "reference_speed",
        **vars(options),
        "torch": torch.__version__,
        "processor": processor(),
        **found,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
