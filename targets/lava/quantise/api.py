"""Float graph in, graph of whole numbers and report out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

from torch import Tensor

from spikeport.convert.check import judge, raise_errors, rewritten
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, Op
from spikeport.core.errors import UsageError
from spikeport.targets.lava.ops import LavaLIF, LavaShift
from spikeport.targets.lava.quantise.biases import accumulated
from spikeport.targets.lava.quantise.calibration import Observation, observe
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.plan import plan
from spikeport.targets.lava.quantise.report import QuantisationReport
from spikeport.targets.lava.quantise.rows import describe
from spikeport.targets.lava.quantise.scales import Fit
from spikeport.targets.lava.quantise.streams import Stream
from spikeport.targets.lava.region import on_lava
from spikeport.targets.lava.requirements import PASSES, Requirements
from spikeport.targets.lava.rules import RULES


@dataclass(frozen=True)
class Quantised:
    """A graph whose part on Lava computes with whole numbers, and what that cost."""

    graph: Graph
    report: QuantisationReport


def quantise(
    graph: Graph, frames: Tensor | None = None, options: LoweringOptions | None = None
) -> Quantised:
    """Quantise a float graph (batch norms are folded if they are not yet) to Lava's fixed point.

    Args:
        frames: calibration, `[T, B, *shape]` event counts. Gives the largest count to expect, the
            peaks of currents and the firing rates that the report compares.

    Returns:
        a graph with the same node names (shifts added, scalings gone), whose weights are int32 and
        whose neurons are `lava.lif`. What stands behind the last neuron is unchanged, in float.

    Raises:
        UnsupportedError: `check` finds an error, or no exponent leaves enough head-room.
        UsageError: neither frames nor `input_max` tell what the input holds.
    """
    options = options or LoweringOptions()
    raise_errors(judge(graph, "lava", PASSES, Requirements).findings)
    graph = rewritten(graph, PASSES).graph
    region = on_lava(graph)
    offsets = accumulated(graph, region)
    seen = None if frames is None else observe(graph, frames, offsets)
    input_max = _input_max(graph, options, seen)
    peaks = seen.peaks if seen else {}
    planned = plan(graph, region, options, input_max, offsets=offsets, peaks=peaks)
    fits = [(stream, planned.scaler.choose(stream)) for stream in planned.streams]
    whole = _assemble(graph, region, planned.counts, fits)
    whole.metadata["lava"] = _metadata(options, input_max, region, planned.counts, fits)
    report = QuantisationReport(options.model_dump() | {"input_max": input_max})
    describe(report, graph, whole, fits, planned.scaler, frames, seen)
    return Quantised(whole, report)


def _input_max(graph: Graph, options: LoweringOptions, seen: Observation | None) -> int:
    if options.input_max is not None:
        return options.input_max
    if graph.input.domain is Domain.SPIKE:
        return 1
    if seen is not None:
        # Other recordings hold larger counts than a few hundred do: twice that, up to 2^n - 1.
        return (1 << (2 * max(1, seen.input_max)).bit_length()) - 1
    raise UsageError(
        "how many events a pixel can count per step is not known, so no head-room can be proven.",
        where=graph.input.name,
        fix="Give calibration frames, or the option input_max.",
    )


def _assemble(
    graph: Graph, region: set[str], counts: dict[str, int], fits: list[tuple[Stream, Fit]]
) -> Graph:
    kept = {key: value for key, value in graph.metadata.items() if key != "certificate"}
    # The certificate speaks about the float graph; it travels along under a name that says so.
    if "certificate" in graph.metadata:
        kept["float_certificate"] = graph.metadata["certificate"]
    whole = Graph(metadata=kept)
    ops = {name: op for _, fit in fits for name, op in fit.ops.items()}
    shifts = {entry: bits for _, fit in fits for entry, bits in fit.shifts.items()}
    fit_of = {name: pair for pair in fits for name in pair[0].readers}
    names: dict[str, str] = {}
    for node in graph:
        sources = [
            _entry(whole, names[source], shifts.get((node.name, source), 0), node)
            for source in node.inputs
        ]
        op = _op(graph, node, region, counts, ops, fit_of)
        if op is None:
            names[node.name] = sources[0]
        else:
            names[node.name] = whole.add(node.name, op, sources, path=node.path).name
    whole.outputs = tuple(names[name] for name in graph.outputs)
    return whole


def _entry(whole: Graph, source: str, bits: int, reader: Node) -> str:
    if not bits:
        return source
    name = f"{source}.shift_{bits}"
    if name not in whole:
        whole.add(name, LavaShift(bits), (source,), path=reader.path)
    return name


def _op(
    graph: Graph,
    node: Node,
    region: set[str],
    counts: dict[str, int],
    ops: dict[str, Op | None],
    fit_of: dict[str, tuple[Stream, Fit]],
) -> Op | None:
    if node.name not in region or isinstance(node.op, Input):
        return node.op
    if node.name in ops:
        return ops[node.name]
    rule = RULES[node.op.kind]
    if node.name in fit_of:
        stream, fit = fit_of[node.name]
        k = stream.exponent_of(graph, node.name, fit.k)
        neuron = cast(LavaLIF, rule.lower(graph, node, [k], 0))
        bias = fit.biases.get(node.name)
        if bias is None:
            return neuron
        return replace(neuron, bias_mant=bias.mantissa, bias_exp=bias.exponent)
    return rule.lower(graph, node, [counts[name] for name in node.inputs], counts[node.name])


def _metadata(
    options: LoweringOptions,
    input_max: int,
    region: set[str],
    counts: dict[str, int],
    fits: list[tuple[Stream, Fit]],
) -> dict[str, Any]:
    exponents = dict(counts)
    for stream, fit in fits:
        exponents |= {name: fit.k + offset for name, offset in stream.members.items()}
    return {
        "options": options.model_dump(),
        "input_max": input_max,
        "exponents": exponents,
        "on_lava": sorted(region),
    }
