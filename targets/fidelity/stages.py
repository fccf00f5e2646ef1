"""Running the stages and comparing each with the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.passes import run_passes
from spikeport.convert.recording import record
from spikeport.core.errors import MissingPackageError, UnsupportedError
from spikeport.targets.fidelity.forced import Alone, run_alone
from spikeport.targets.fidelity.report import FidelityReport, LayerFidelity, StageFidelity
from spikeport.targets.lowered import Lowered, Run, run_executor
from spikeport.targets.parity import Difference, compare

FOLDING = ("fold-batch-norm",)
_ZERO = 1e-12


class _Stage(NamedTuple):
    run: Run
    exact: bool
    """Whether it must equal the stage before, spike by spike."""
    graph: Graph | None = None
    """What the interpreter can run layer by layer; None for the model and native backends."""


def fidelity(
    graph: Graph,
    lowered: Lowered,
    frames: Tensor,
    *,
    model: nn.Module | None = None,
    sample: Tensor | None = None,
) -> FidelityReport:
    """Compare model, graph, folded graph and every backend of a target on the same samples.

    Model, graph and folded graph run in float64 and must be equal. The first backend is compared
    with the folded graph; it may differ, and how far is what the report is for. Every other
    backend is compared with the first; within `lowered.tolerance` it must be equal.

    Args:
        graph: the float graph that was lowered.
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
        model: also compare the graph with the model that it was traced from.
        sample: the same samples in the model's layout; needed with `model`.

    Raises:
        SpikeportError: the samples do not suit the graph, or a backend fails.
    """
    stages = []
    if model is not None and sample is not None:
        stages.append(_of_model(graph, model, sample.double()))
    float_run = run_executor(Interpreter(graph, torch.float64), frames, "graph")
    stages.append(_Stage(float_run, exact=True, graph=graph))
    folded = run_passes(graph, FOLDING, frames)
    if folded is not graph:
        run = run_executor(Interpreter(folded, torch.float64), frames, "folded")
        stages.append(_Stage(run, exact=True, graph=folded))
    skipped: dict[str, str] = {}
    stages += _of_backends(lowered, frames, skipped)
    pairs = list(_pairs(stages, len(lowered.backends) - len(skipped)))
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
    left = _Stage(run, exact=True, graph=folded)
    right = _Stage(lowered.run(frames, spikes=True), exact=False, graph=lowered.graph)
    return _compared(left, right, frames)


def _of_model(graph: Graph, model: nn.Module, sample: Tensor) -> _Stage:
    by_path, outputs = record(graph, model, sample)
    names = {node.path: node.name for node in graph}
    spikes = {names[path]: value.bool() for path, value in by_path.items() if path in names}
    in_order = {node.name: spikes[node.name] for node in graph if node.name in spikes}
    return _Stage(Run(outputs, in_order, "model"), exact=True)


def _of_backends(lowered: Lowered, frames: Tensor, skipped: dict[str, str]) -> Iterator[_Stage]:
    for index, name in enumerate(lowered.backends):
        try:
            run = lowered.run(frames, backend=name, spikes=True)
        except (MissingPackageError, UnsupportedError) as error:
            if index == 0:
                raise
            skipped[name] = str(error)
            continue
        exact = index > 0 and lowered.tolerance.spikes == 0
        yield _Stage(run, exact=exact, graph=lowered.graph if index == 0 else None)


def _pairs(stages: list[_Stage], backends: int) -> Iterator[tuple[_Stage, _Stage]]:
    """Each stage with the one before; backends after the first with the first."""
    first = len(stages) - backends
    for index in range(1, len(stages)):
        yield stages[min(index - 1, first)], stages[index]


def _compared(left: _Stage, right: _Stage, frames: Tensor) -> StageFidelity:
    common = [name for name in left.run.spikes if name in right.run.spikes]
    a, b = (_only(stage.run, common) for stage in (left, right))
    parity = compare(a, b)
    alone, reference = _alone(left, right, frames)
    graph = right.graph if left.graph is None else left.graph
    return StageFidelity(
        left=left.run.backend,
        right=right.run.backend,
        exact=right.exact,
        layers=tuple(
            _layer(name, graph, a.spikes[name], b.spikes[name], alone, reference) for name in common
        ),
        first=_told(parity.first_difference),
        output_difference=parity.output_difference,
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


def _only(run: Run, names: list[str]) -> Run:
    return run._replace(spikes={name: run.spikes[name] for name in names})


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
    graph: Graph | None,
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
        path=graph[name].path if graph is not None else "",
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


def _smape(a: Tensor, b: Tensor) -> float:
    size = a.abs() + b.abs()
    share = torch.where(size > _ZERO, 2 * (a - b).abs() / size.clamp(min=_ZERO), 0.0)
    return float(share.mean()) if share.numel() else 0.0


def _same_answer(a: Tensor, b: Tensor) -> float | None:
    if a.ndim != 2:
        return None
    return float((a.argmax(1) == b.argmax(1)).double().mean())
