"""Running the stages and comparing each with the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.convert.passes import run_passes
from spikeport.convert.passes.merge_identical import MERGED
from spikeport.convert.passes.pipeline import OUTPUT_TOLERANCE
from spikeport.convert.recording import record
from spikeport.core.errors import MissingPackageError, UnsupportedError
from spikeport.targets.fidelity.forced import Alone, run_alone
from spikeport.targets.fidelity.report import FidelityReport, LayerFidelity, StageFidelity
from spikeport.targets.lowered import Lowered, Run, Tolerance, chosen_backend, run_executor
from spikeport.targets.parity import Difference, compare, output_gap

FOLDING = ("fold-batch-norm",)
_ZERO = 1e-12


class _Stage(NamedTuple):
    run: Run
    allowed: Tolerance | None = None
    """How far it may be from the stage before; None: as far as it is."""
    graph: Graph | None = None
    """What the interpreter can run layer by layer; None for the model and native backends."""
    twins: Mapping[str, str] = {}
    """Layers that the next stage computes under another one's name."""
    may_lack: frozenset[str] = frozenset()
    """Layers that the next stage need not run."""


def fidelity(
    graph: Graph,
    lowered: Lowered,
    frames: Tensor,
    *,
    model: nn.Module | None = None,
    sample: Tensor | None = None,
    golden: Run | None = None,
    backends: Sequence[str] | None = None,
) -> FidelityReport:
    """Compare model, graph, folded graph and every backend of a target on the same samples.

    Model, graph and folded graph run in float64 and must be equal. The first backend is compared
    with the folded graph; it may differ, and how far is what the report is for. Every other
    backend is compared with the first; within `lowered.tolerance` it must be equal. Outputs count
    as spikes do, and so does a layer that only one side runs.

    Args:
        graph: the float graph that was lowered.
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
        model: also compare the graph with the model that it was traced from.
        sample: the same samples in the model's layout; needed with `model`.
        golden: what the first backend emits on these frames, spikes included, if that is known.
        backends: those to run beside the first; all of `lowered.backends` if not given.

    Raises:
        UnknownNameError: there is no such backend.
        SpikeportError: the samples do not suit the graph, or a backend fails.
    """
    first, *others = lowered.backends
    if backends is not None:
        others = [name for name in backends if chosen_backend(lowered, name) != first]
    stages = []
    if model is not None and sample is not None:
        stages.append(_of_model(graph, model, sample.double()))
    float_run = run_executor(Interpreter(graph, torch.float64), frames, "graph")
    same = Tolerance(0.0, OUTPUT_TOLERANCE * max(1.0, _largest(float_run.outputs)))
    stages.append(_Stage(float_run, same, graph))
    folded = run_passes(graph, FOLDING, frames)
    if folded is not graph:
        run = run_executor(Interpreter(folded, torch.float64), frames, "folded")
        stages.append(_Stage(run, same, folded))
    skipped: dict[str, str] = {}
    run = golden or lowered.run(frames, backend=first, spikes=True)
    stages.append(_Stage(run, graph=lowered.graph))
    stages += _of_backends(lowered, others, frames, skipped)
    pairs = list(_pairs(stages, 1 + len(others) - len(skipped)))
    steps = next(iter(float_run.spikes.values())).shape[0] if float_run.spikes else 0
    return FidelityReport(
        target=lowered.target,
        samples=frames.shape[1 if graph.input.per_step else 0],
        steps=steps,
        stages=tuple(_compared(left, right, frames) for left, right in pairs),
        skipped=skipped,
    )


def against_float(graph: Graph, lowered: Lowered, frames: Tensor) -> StageFidelity:
    """Compare the folded float graph, in float64, with the first backend only.

    Args: see `fidelity`.
    """
    folded = run_passes(graph, FOLDING, frames)
    run = run_executor(Interpreter(folded, torch.float64), frames, "float")
    left = _Stage(run, graph=folded)
    right = _Stage(lowered.run(frames, spikes=True), graph=lowered.graph)
    return _compared(left, right, frames)


def _of_model(graph: Graph, model: nn.Module, sample: Tensor) -> _Stage:
    """The model's neurons by the names of their nodes; those of no node by their paths."""
    by_path, outputs = record(graph, model, sample)
    neurons = {node.path: node.name for node in graph if isinstance(node.op, Neuron)}
    merged = graph.metadata.get(MERGED, {})
    twins = {path: neurons[kept] for path, kept in merged.items() if path in by_path}
    spikes = {name: by_path[path].bool() for path, name in neurons.items() if path in by_path}
    others = {path: value.bool() for path, value in by_path.items() if path not in neurons}
    return _Stage(
        Run(outputs, spikes | others, "model"),
        twins=twins,
        may_lack=frozenset(others) - frozenset(twins),
    )


def _of_backends(
    lowered: Lowered, names: Sequence[str], frames: Tensor, skipped: dict[str, str]
) -> Iterator[_Stage]:
    for name in names:
        try:
            run = lowered.run(frames, backend=name, spikes=True)
        except (MissingPackageError, UnsupportedError) as error:
            skipped[name] = str(error)
            continue
        yield _Stage(run, lowered.tolerance)


def _pairs(stages: list[_Stage], backends: int) -> Iterator[tuple[_Stage, _Stage]]:
    """Each stage with the one before; backends after the first with the first."""
    first = len(stages) - backends
    for index in range(1, len(stages)):
        yield stages[min(index - 1, first)], stages[index]


def _compared(left: _Stage, right: _Stage, frames: Tensor) -> StageFidelity:
    partner = {name: left.twins.get(name, name) for name in left.run.spikes}
    common = [name for name, other in partner.items() if other in right.run.spikes]
    missing = [name for name in partner if name not in common]
    a = left.run._replace(spikes={name: left.run.spikes[name] for name in common})
    b = right.run._replace(spikes={name: right.run.spikes[partner[name]] for name in common})
    parity = compare(a, b)
    alone, reference = _alone(left, right, frames)
    graph = next(stage.graph for stage in (left, right) if stage.graph is not None)
    return StageFidelity(
        left=left.run.backend,
        right=right.run.backend,
        allowed=right.allowed,
        layers=tuple(
            _layer(
                name, graph[partner[name]].path, a.spikes[name], b.spikes[name], alone, reference
            )
            for name in common
        ),
        only_left=tuple(name for name in missing if name not in left.may_lack),
        only_right=tuple(name for name in right.run.spikes if name not in set(partner.values())),
        left_out=tuple(name for name in missing if name in left.may_lack),
        first=_told(parity.first_difference),
        output_difference=parity.output_difference,
        output_gap=output_gap(a, b, per_step=graph[graph.outputs[0]].per_step),
        smape=_smape(a.outputs.double(), b.outputs.double()),
        same_answer=_same_answer(a.outputs, b.outputs),
    )


def _told(first: Difference | None) -> str:
    if first is None:
        return ""
    return (
        f"{first.layer}, step {first.step}, sample {first.sample}, index {first.index}: "
        f"{first.left} against {first.right}"
    )


def _alone(
    left: _Stage, right: _Stage, frames: Tensor
) -> tuple[Mapping[str, Alone], Mapping[str, Alone]]:
    """Each layer of the right side, and of the left, on the left side's spikes."""
    if left.graph is None or right.graph is None:
        return {}, {}
    given = left.run.spikes
    own = {node.name for node in right.graph} & set(given)
    if own != set(given):
        return {}, {}  # the target runs other layers: nothing can be put in their place
    return run_alone(right.graph, frames, given), run_alone(left.graph, frames, given)


def _layer(
    name: str,
    path: str,
    left: Tensor,
    right: Tensor,
    alone: Mapping[str, Alone],
    reference: Mapping[str, Alone],
) -> LayerFidelity:
    differs = left != right
    rate, other = float(left.double().mean()), float(right.double().mean())
    found, base = alone.get(name), reference.get(name)
    levels = (None if found is None else found.membrane, None if base is None else base.membrane)
    return LayerFidelity(
        layer=name,
        path=path,
        compared=left.numel(),
        different=int(differs.sum()),
        by_step=tuple(differs.double().flatten(1).mean(1).tolist()),
        rate=rate,
        rate_error=(other - rate) / rate if rate else None,
        alone=None if found is None else float((found.spikes == left).double().mean()),
        membrane_error=_gap(*levels),
    )


def _gap(a: Tensor | None, b: Tensor | None) -> float | None:
    return None if a is None or b is None else float((a - b).abs().mean())


def _largest(outputs: Tensor) -> float:
    return float(outputs.abs().max()) if outputs.numel() else 0.0


def _smape(a: Tensor, b: Tensor) -> float:
    size = a.abs() + b.abs()
    share = torch.where(size > _ZERO, 2 * (a - b).abs() / size.clamp(min=_ZERO), 0.0)
    return float(share.mean()) if share.numel() else 0.0


def _same_answer(a: Tensor, b: Tensor) -> float | None:
    if a.ndim != 2:
        return None
    return float((a.argmax(1) == b.argmax(1)).double().mean())
