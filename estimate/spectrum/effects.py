"""What ops and modules do to the high-frequency share: after against before, sample by sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AdaptiveAvgPool, AvgPool, Conv, Linear, MaxPool, Neuron
from spikeport.estimate.spectrum.grids import Floats
from spikeport.estimate.spectrum.spatial import MapSpectrum
from spikeport.estimate.spectrum.spectra import Spectra
from spikeport.estimate.spectrum.temporal import StepSpectrum
from spikeport.estimate.stages import module_of, stage_of
from spikeport.estimate.stats import Statistics, statistics
from spikeport.estimate.tally.facts import label

_MODULES = ("token mixing", "MLP", "patch embedding")


@dataclass(frozen=True, eq=False)
class Effect:
    """Spectra in front of and behind something.

    Attributes:
        what: kind of op or part of the network.
        where: module path, or the node's name.
        node: the node behind whose output is `after`.
        before, after: the spectra in space.
        steps: those along time; None where there are none.
    """

    what: str
    where: str
    node: str
    before: MapSpectrum
    after: MapSpectrum
    steps: tuple[StepSpectrum, StepSpectrum] | None = None

    @property
    def differences(self) -> Floats:
        """Share after minus share before of each sample, NaN where either is not defined."""
        return self.after.shares.values - self.before.shares.values

    @property
    def time_differences(self) -> Floats:
        """The same of the shares along time."""
        if self.steps is None:
            return np.full(len(self.differences), np.nan)
        before, after = self.steps
        return after.shares.values - before.shares.values

    @property
    def same_size(self) -> bool:
        """Whether both are maps of one size: only then their shares are of the same frequencies."""
        before, after = self.before, self.after
        return (before.height, before.width) == (after.height, after.width)


def effects(spectra: Spectra) -> list[Effect]:
    """Of each op of a known kind, of each max pooling against its controls, of each module."""
    return [*_of_ops(spectra), *_of_controls(spectra), *_of_modules(spectra)]


def kind_of(node: Node) -> str:
    """What an op does to a map, in a word; "" if it is not compared."""
    return next((kind for kind, holds in _KINDS.items() if holds(node)), "")


def statistics_of(values: Floats, seed: int) -> Statistics | None:
    """Mean with bootstrap interval of the values that are defined; None if none is."""
    defined = values[np.isfinite(values)]
    return statistics(defined, "bootstrap", seed=seed) if len(defined) else None


def tells(differences: Floats) -> bool:
    """Whether any sample has a difference."""
    return bool(np.isfinite(differences).any())


def mean_over_nodes(parts: list[Floats]) -> Floats:
    """The mean of the differences of several effects in each sample, over those defined in it."""
    values = np.stack(parts)
    defined = np.isfinite(values)
    counts = defined.sum(0)
    sums = np.where(defined, values, 0.0).sum(0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _is_conv(node: Node, holds: Callable[[Conv], bool]) -> bool:
    return isinstance(node.op, Conv) and holds(node.op)


# First match wins.
_KINDS: dict[str, Callable[[Node], bool]] = {
    "neuron": lambda node: isinstance(node.op, Neuron),
    "max pooling": lambda node: isinstance(node.op, MaxPool),
    "average pooling": lambda node: isinstance(node.op, AvgPool | AdaptiveAvgPool),
    "depth-wise convolution": lambda node: _is_conv(
        node, lambda op: op.groups == op.in_channels > 1 and max(op.kernel) > 1
    ),
    "point-wise weighting": lambda node: (
        _is_conv(node, lambda op: max(op.kernel) == 1) or isinstance(node.op, Linear)
    ),
    "convolution": lambda node: isinstance(node.op, Conv),
}


def _of_ops(spectra: Spectra) -> Iterator[Effect]:
    for node in spectra.graph:
        kind = kind_of(node)
        if kind:
            yield from _between(spectra, node.inputs[0], node.name, kind, label(node))


def _of_controls(spectra: Spectra) -> Iterator[Effect]:
    for (name, control), before in spectra.controls.items():
        what = f"max pooling instead of {control}"
        node = spectra.graph[name]
        yield Effect(what, label(node), name, before, spectra.maps[name])


def _of_modules(spectra: Spectra) -> Iterator[Effect]:
    for module, nodes in _modules(spectra.graph).items():
        entry, end = _ends(spectra.graph, nodes)
        yield from _between(spectra, entry, end, f"{stage_of(module).part}, whole", module)


def _between(spectra: Spectra, before: str, after: str, what: str, where: str) -> Iterator[Effect]:
    """The effect between two nodes, if both are maps."""
    maps, steps = spectra.maps, spectra.steps
    if before in maps and after in maps:
        timed = before in steps and after in steps
        along = (steps[before], steps[after]) if timed else None
        yield Effect(what, where, after, maps[before], maps[after], along)


def _modules(graph: Graph) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in graph:
        if node.path and stage_of(node.path).part in _MODULES:
            found.setdefault(module_of(node.path), []).append(node)
    return found


def _ends(graph: Graph, nodes: list[Node]) -> tuple[str, str]:
    """The one node that enters a module and the one that leaves it; "" where there are more."""
    inside = {node.name for node in nodes}
    entries = {source for node in nodes for source in node.inputs} - inside
    leaving = {
        node.name
        for node in nodes
        if any(reader.name not in inside for reader in graph.consumers(node.name))
    }
    return _only(entries), _only(leaving)


def _only(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""
