"""NIR graphs of one node, and how they are run."""

from __future__ import annotations

import nir
import nir_graphs
import numpy as np
import torch

from spikeport.convert import Graph

DT = 1e-4
STEPS, NEURONS = 12, 5


def single(
    node: nir.NIRNode, before: tuple[int, ...], after: tuple[int, ...], **options: bool
) -> nir.NIRGraph:
    """Input, one node, output."""
    return nir.NIRGraph(
        {"input": nir.Input(np.array(before)), "n": node, "output": nir.Output(np.array(after))},
        [("input", "n"), ("n", "output")],
        **options,
    )


def values(seed: int, *shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape)


def run(graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """Inputs `[T, *shape]` of one sample."""
    frames = torch.from_numpy(np.asarray(inputs, dtype=np.float64)).unsqueeze(1)
    return nir_graphs.runs_of(graph, frames)["output"][:, 0].numpy()
