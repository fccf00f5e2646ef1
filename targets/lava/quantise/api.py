"""Float graph in, graph of whole numbers and report out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import Tensor

from spikeport.convert.check import judge, raise_errors, rewritten
from spikeport.convert.graph import Graph
from spikeport.targets.lava.entry import Entry, declared
from spikeport.targets.lava.quantise.assemble import assemble
from spikeport.targets.lava.quantise.biases import accumulated
from spikeport.targets.lava.quantise.calibration import choose_entry, observe
from spikeport.targets.lava.quantise.exactness import exact_in_float32
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.plan import plan
from spikeport.targets.lava.quantise.report import QuantisationReport
from spikeport.targets.lava.quantise.rows import describe
from spikeport.targets.lava.quantise.search import Chosen, search
from spikeport.targets.lava.quantise.search.rows import describe_search
from spikeport.targets.lava.region import on_lava
from spikeport.targets.lava.requirements import PASSES, Requirements


@dataclass(frozen=True)
class Quantised:
    """A graph whose part on Lava computes with whole numbers, and what that cost."""

    graph: Graph
    report: QuantisationReport


def quantise(
    graph: Graph,
    frames: Tensor | None = None,
    options: LoweringOptions | None = None,
    exponents: Mapping[str, int] | None = None,
) -> Quantised:
    """Quantise a float graph (batch norms are folded if they are not yet) to Lava's fixed point.

    Args:
        frames: calibration, what the graph takes. Gives the largest count or pixel to expect, the
            peaks of currents and the firing rates that the report compares.
        exponents: of streams by name, where they are not to be chosen anew: what another lowering
            of the same network noted under `streams`. Nothing is searched then: such a network
            was fine-tuned with each weight rounded to the nearest number.

    Returns:
        a graph with the same node names (shifts added, scalings gone), whose weights are int32 and
        whose neurons are `lava.lif`. What stands behind the last neuron is unchanged, in float.

    Raises:
        UnsupportedError: `check` finds an error, or no exponent leaves enough head-room.
        UsageError: neither frames nor options tell what the input holds.
    """
    options = options or LoweringOptions()
    raise_errors(judge(graph, "lava", PASSES, Requirements).findings)
    graph = declared(rewritten(graph, PASSES).graph)
    region = on_lava(graph)
    constants = accumulated(graph, region)
    seen = None if frames is None else observe(graph, frames, constants.offsets, options.percentile)
    entry = choose_entry(graph, options, seen)
    peaks = seen.peaks if seen else {}
    planned = plan(graph, region, options, entry, constants=constants, peaks=peaks)
    fits = planned.choose(exponents)
    chosen = Chosen(graph, {})
    if frames is not None and options.search != "none" and exponents is None:
        layers = {name: layer for _, fit in fits for name, layer in fit.layers.items()}
        chosen = search(graph, layers, frames, options.weight_bits, options.search)
        planned = plan(chosen.graph, region, options, entry, peaks=peaks)
        fits = planned.choose()
    whole = assemble(chosen.graph, region, planned.units, fits)
    whole.metadata["lava"] = _metadata(options, entry, region, planned.scaler.units)
    whole.metadata["lava"]["streams"] = {stream.name: fit.k for stream, fit in fits}
    whole.metadata["lava"]["float32_exact"] = exact_in_float32(whole, entry)
    report = QuantisationReport(options.model_dump() | {"input_max": entry.high})
    describe(report, graph, whole, fits, planned.scaler, frames, seen)
    describe_search(report, graph, chosen, options.search)
    return Quantised(whole, report)


def _metadata(
    options: LoweringOptions, entry: Entry, region: set[str], units: dict[str, Fraction]
) -> dict[str, Any]:
    return {
        "options": options.model_dump(),
        "input_max": entry.high,
        "entry": entry.as_json(),
        # Whole where the unit is a power of two.
        "exponents": {name: _exponent(unit) for name, unit in units.items()},
        "on_lava": sorted(region),
    }


def _exponent(unit: Fraction) -> float:
    exponent = -math.log2(unit)
    return int(exponent) if exponent.is_integer() else exponent
