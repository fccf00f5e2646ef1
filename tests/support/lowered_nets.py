"""Lowering a small network both ways, and the ops that such networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.targets.lava import IntegerExecutor, LavaArtefact, lower, run_in_process
from spikeport.targets.lowered import Run, run_executor
from spikeport.targets.parity import compare


def lowered(graph: Graph, frames: Tensor, **options: object) -> tuple[LavaArtefact, Run]:
    """Lower, run on whole numbers and on Lava's models, and see to it that both agree.

    Every layer of neurons must fire, but not always.
    """
    artefact = lower(graph, frames, **options)
    executor = IntegerExecutor(artefact.graph, check_values=True)
    run = run_executor(executor, frames, "integer")
    result = compare(run, run_in_process(artefact.graph, frames))
    result.require()
    assert result.equal and not result.silent
    assert result.output_difference == 0.0
    assert all(0.01 < float(s.double().mean()) < 0.99 for s in run.spikes.values())
    # The executor that users get may compute in float32.
    fast = run_executor(artefact.executor(), frames, "integer")
    assert all(torch.equal(fast.spikes[name], s) for name, s in run.spikes.items())
    return artefact, run


def float_spikes(graph: Graph, frames: Tensor) -> dict[str, Tensor]:
    spikes: dict[str, Tensor] = {}

    def tap(node, value):
        if isinstance(node.op, Neuron):
            spikes[node.name] = value.bool()

    Interpreter(graph, torch.float64).run(frames, tap)
    return spikes


def disagreement(graph: Graph, frames: Tensor, run: Run) -> float:
    """Largest share of spikes of a layer that differ from the float network."""
    want = float_spikes(graph, frames)
    return max(float((want[name] != s).double().mean()) for name, s in run.spikes.items())


def figures(artefact: LavaArtefact, name: str) -> dict[str, float]:
    """The values of a figure of the report, by layer."""
    return {row.layer: row.value for row in artefact.report.figure(name)}
