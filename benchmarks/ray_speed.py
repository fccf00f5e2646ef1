"""Two Ray workers against one, one thread each, on counting digits; as JSON.

    python benchmarks/ray_speed.py [--samples 1000] [--batch 20] [--repeats 3]

To be run on an idle machine of two cores or more. Each time is that of `estimate` on a cluster that
is up and whose workers have imported what they need, both told apart. It includes sending the
network, making its tally in each worker, and the totals. Target: 1.6 times.

On two cores one worker has the second one's help: who hands batches out and adds counts up runs
there. `cpu_seconds` of a run, which hardly depend on what else the machine does, tell how much that
is: of this process, of the workers, and of Ray's own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import time
from collections.abc import Sequence
from typing import Any

import psutil
import ray
import torch

from spikeport.cluster import by_ray, connected
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
    return estimate(executor, batches, workers=by_ray)


def cpu_seconds() -> dict[str, float]:
    """Used so far: by this process, by Ray's workers, and by the rest of Ray."""
    used = {"driver": time.process_time(), "workers": 0.0, "ray": 0.0}
    for process in psutil.Process().children(recursive=True):
        # Processes of Ray come and go.
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            kind = "workers" if process.name().startswith("ray::") else "ray"
            used[kind] += times.user + times.system
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in {"samples": 1000, "batch": 20, "repeats": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    graph, batches = batches_of(given.samples, given.batch)
    executor = Interpreter(graph)
    medians, starts, first, cpu, totals = {}, {}, {}, {}, []
    for workers in WORKERS:
        start = time.perf_counter()
        with connected(workers=workers):
            starts[workers] = time.perf_counter() - start
            start = time.perf_counter()
            counted(executor, batches[: 4 * workers])
            first[workers] = time.perf_counter() - start
            taken, before = [], cpu_seconds()
            for _ in range(given.repeats):
                start = time.perf_counter()
                totals.append(counted(executor, batches).totals)
                taken.append(time.perf_counter() - start)
            after = cpu_seconds()
        cpu[workers] = {kind: (after[kind] - before[kind]) / given.repeats for kind in after}
        medians[workers] = statistics.median(taken)
    result = {
        "benchmark": "ray_speed",
        **vars(given),
        "ray": ray.__version__,
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "start_seconds": starts,
        "first_batches_seconds": first,
        "median_seconds": medians,
        "cpu_seconds": cpu,
        "speedup": medians[1] / medians[2],
        "same_totals": all(each == totals[0] for each in totals),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
