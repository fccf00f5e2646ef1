"""Two Ray workers against one, one thread each, on counting digits; as JSON.

    python benchmarks/ray_speed.py [--samples 1000] [--batch 20] [--repeats 3]

To be run on an idle machine of two cores or more. Each time is that of `estimate` on a cluster
that is up and whose workers have imported what they need: starting one is told apart. Target: 1.6
times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from typing import Any

import ray
import torch

from spikeport.cluster import connected, counted_by_ray
from spikeport.convert import Graph, Interpreter
from spikeport.estimate import EnergyReport, estimate
from spikeport.runs import RunChoice, open_run, spread, stack

WORKERS = (1, 2)


def batches_of(samples: int, batch: int) -> tuple[Graph, Sequence[Any]]:
    """The digits network, and its test recordings (simulated events) held in memory."""
    opened = open_run(RunChoice("max_former_digits"))
    chosen = spread(len(opened.data), samples)
    parts = [chosen[start : start + batch] for start in range(0, len(chosen), batch)]
    return opened.graph, [
        (stack(opened.data, part), torch.from_numpy(opened.data.labels[part])) for part in parts
    ]


def counted(executor: Interpreter, batches: Sequence[Any]) -> EnergyReport:
    return estimate(executor, batches, workers=counted_by_ray)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {"samples": 1000, "batch": 20, "repeats": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    graph, batches = batches_of(given.samples, given.batch)
    executor = Interpreter(graph)
    medians, starts, totals = {}, {}, []
    for workers in WORKERS:
        start = time.perf_counter()
        with connected(workers=workers):
            starts[workers] = time.perf_counter() - start
            counted(executor, batches[: 4 * workers])
            taken = []
            for _ in range(given.repeats):
                start = time.perf_counter()
                totals.append(counted(executor, batches).totals)
                taken.append(time.perf_counter() - start)
        medians[workers] = statistics.median(taken)
    result = {
        "benchmark": "ray_speed",
        **vars(given),
        "ray": ray.__version__,
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "start_seconds": starts,
        "median_seconds": medians,
        "speedup": medians[1] / medians[2],
        "same_totals": all(each == totals[0] for each in totals),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
