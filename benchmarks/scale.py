"""What one sample costs on one core, as JSON: what a plan for a data set is computed from.

    python benchmarks/scale.py [--model max_former_10_768] [--repeats 3]

The network has fresh weights, with batch norms that let its neurons fire, and sees random input:
time hardly depends on either. `run` is the pass alone, `count` with spikes and operations of every
layer counted.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import time
from collections.abc import Callable

import torch
from trace_large import lively

from spikeport.convert import Graph, Interpreter, Node, trace
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.estimate import Tally
from spikeport.estimate.sizes import connections
from spikeport.train.models import MODELS, create_model


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each call, shortest first; the first call of all is not counted."""
    call()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return sorted(found)


def traced(name: str) -> tuple[Graph, torch.Tensor]:
    """The network, and one sample as executors take it."""
    torch.manual_seed(0)
    entry = MODELS[name]
    steps = () if entry.static else (entry.steps,)
    sample = torch.randn(1, *steps, *entry.input_shape)
    graph = trace(lively(create_model(name)), sample)
    return graph, sample.transpose(0, 1) if graph.input.per_step else sample


def dense_macs(graph: Graph, steps: int) -> int:
    """Of one sample."""
    layers = [node for node in graph if isinstance(node.op, Conv | Linear | MatMul)]
    return sum(connections(graph, node) * passes(node, steps) for node in layers)


def values(node: Node, steps: int) -> int:
    """Numbers that a node puts out for one sample."""
    return math.prod(node.shape) * passes(node, steps)


def passes(node: Node, steps: int) -> int:
    return steps if node.per_step else 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="max_former_10_768")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    graph, sample = traced(given.model)
    executor, tally = Interpreter(graph), Tally(graph)
    run = timed(lambda: executor.run(sample), given.repeats)
    count = timed(lambda: tally.count(executor, sample, ["sample"]), given.repeats)
    result = {
        "benchmark": "scale",
        "model": given.model,
        "steps": MODELS[given.model].steps,
        "torch": torch.__version__,
        "threads": 1,
        # Above the number of cores, others were at work and times are too long.
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "run_seconds": {"median": statistics.median(run), "least": run[0]},
        "count_seconds": {"median": statistics.median(count), "least": count[0]},
        "parameters": sum(
            parameter.numel() for parameter in create_model(given.model).parameters()
        ),
        # What bounds any machine from below: multiply-accumulates of all layers and products, zeros
        # too, and the output of each node in float32, written once and read once.
        "dense_macs": dense_macs(graph, MODELS[given.model].steps),
        "traffic_bytes": 2 * 4 * sum(values(node, MODELS[given.model].steps) for node in graph),
        # Linux tells kilobytes. Tracing is part of it.
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
