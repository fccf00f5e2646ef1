"""An evaluation that takes a while: `python slow_evaluation.py GRAPH FOLDER [resume]`."""

from __future__ import annotations

import sys
from pathlib import Path

import slow_batches
import torch

from spikeport.convert import Graph, Interpreter
from spikeport.estimate import Evaluation, Progress, evaluate, progress


def evaluation(graph: Graph, seconds: float = 0.0, kept: Progress | None = None) -> Evaluation:
    executors = {
        "float64": Interpreter(graph, torch.float64),
        "float32": Interpreter(graph),
    }
    return evaluate(
        executors,
        slow_batches.Batches(3, seconds),
        energy="horowitz45-fp32",
        curve=True,
        timing=True,
        progress=kept,
    )


def main() -> None:
    graph, folder, *more = sys.argv[1:]
    progress.SECONDS = 0.2
    kept = Progress(Path(folder) / "progress.npz", resume="resume" in more)
    evaluation(Graph.load(graph), 0.1, kept).save(folder)


if __name__ == "__main__":
    main()
