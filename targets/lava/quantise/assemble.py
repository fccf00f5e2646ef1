"""The graph of whole numbers, from the float graph and what was chosen for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import Delay, Input, Op
from spikeport.targets.lava.ops import LavaLIF, LavaShift
from spikeport.targets.lava.quantise.scales import Fit
from spikeport.targets.lava.quantise.streams import Stream
from spikeport.targets.lava.rules import RULES


def assemble(
    graph: Graph,
    region: set[str],
    units: Mapping[str, Fraction],
    fits: Sequence[tuple[Stream, Fit]],
) -> Graph:
    """The same nodes with ops in whole numbers, shifts added, scalings gone.

    Args:
        units: of the edges that carry counts.
    """
    return _Assembly(graph, region, units, fits).run()


class _Assembly:
    def __init__(
        self,
        graph: Graph,
        region: set[str],
        units: Mapping[str, Fraction],
        fits: Sequence[tuple[Stream, Fit]],
    ) -> None:
        self._graph, self._region, self._units = graph, region, units
        self._shifts = {entry: bits for _, fit in fits for entry, bits in fit.shifts.items()}
        self._ops = {name: ops for _, fit in fits for name, ops in fit.ops.items()}
        self._fit_of = {name: fit for stream, fit in fits for name in stream.readers}
        kept = {key: value for key, value in graph.metadata.items() if key != "certificate"}
        # The certificate speaks about the float graph; it travels along under a name that says so.
        if "certificate" in graph.metadata:
            kept["float_certificate"] = graph.metadata["certificate"]
        self._whole = Graph(metadata=kept)
        self._names: dict[str, str] = {}

    def run(self) -> Graph:
        for node in self._graph:
            sources = [self._entry(source, node) for source in node.inputs]
            self._names[node.name] = self._add(node, self._lowered(node), sources)
        self._whole.outputs = tuple(self._names[name] for name in self._graph.outputs)
        shown: dict[str, Op] = {
            node.name: replace(node.op, source=self._names[node.op.source])
            for node in self._whole.delays
            if isinstance(node.op, Delay)
        }
        return rebuilt(self._whole, shown) if shown else self._whole

    def _add(self, node: Node, ops: Sequence[Op], sources: list[str]) -> str:
        """Add the ops one after the other; the last one has the node's name."""
        for name, op in zip(part_names(node.name, ops), ops, strict=True):
            sources = [self._whole.add(name, op, sources, path=node.path).name]
        return sources[0]

    def _entry(self, source: str, reader: Node) -> str:
        name, bits = self._names[source], self._shifts.get((reader.name, source), 0)
        if not bits:
            return name
        shifted = f"{name}.shift_{bits}"
        if shifted not in self._whole:
            self._whole.add(shifted, LavaShift(bits), (name,), path=reader.path)
        return shifted

    def _lowered(self, node: Node) -> Sequence[Op]:
        if node.name not in self._region or isinstance(node.op, Input):
            return (node.op,)
        if node.name in self._ops:
            return self._ops[node.name]
        if node.name in self._fit_of:
            return (self._neuron(node, self._fit_of[node.name]),)
        reads = [self._units[name] for name in node.inputs]
        op = RULES[node.op.kind].lower(self._graph, node, reads)
        return () if op is None else (op,)

    def _neuron(self, node: Node, fit: Fit) -> Op:
        rule = RULES[node.op.kind]
        neuron = cast(LavaLIF, rule.lower(self._graph, node, [fit.reads[node.name]]))
        bias = fit.biases.get(node.name)
        if bias is None:
            return neuron
        return replace(neuron, bias_mant=bias.mantissa, bias_exp=bias.exponent)


def part_names(node: str, ops: Sequence[Op]) -> list[str]:
    """Names of the nodes that one node of the float graph becomes; the last one keeps its name."""
    return [f"{node}.{_part(number, op)}" for number, op in enumerate(ops[:-1])] + [node][
        : len(ops)
    ]


def _part(number: int, op: Op) -> str:
    """What the name of an op says that others of the same node follow."""
    if isinstance(op, LavaShift):
        return "shifted" if number else "rounded"
    return "sums"
