"""The energy convention of Spikformer (arXiv 2209.15425, eq. 22)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.estimate.paper.registry import PAPER_MODES, Charged, PaperMode
from spikeport.estimate.paper.sizes import (
    AC,
    MAC,
    flops,
    operand_rates,
    product_flops,
    reads_events,
    stem_of,
    steps_of,
    synaptic_operations,
)
from spikeport.estimate.tally.tally import Tally

PUBLISHED_STEM_CHANNELS = 64
"""Of the 512-wide model: what every published row is charged, whatever its width."""


def charge(tally: Tally, switches: Mapping[str, str]) -> Charged:
    """E = MAC T FLOPs(conv1) + AC (sum of SOP(conv) + SOP(linear) + SOP(attention)).

    SOP = rate x T x FLOPs. Of a product of spikes the rate is the mean over both operands; the
    paper does not tell. `stem=published` charges the first convolution as that of the 512-wide
    model, which all five published rows do: each is 0.9 SOPs + 1.596 mJ.
    """
    layers: dict[str, Fraction] = {}
    stem, steps = stem_of(tally.graph), steps_of(tally)
    for node in tally.graph:
        if node.name == stem:
            times = 1 if switches["repeat"] == "once" else steps
            layers[node.name] = MAC * times * _stem(node, switches["stem"])
        elif isinstance(node.op, Conv | Linear):
            events = reads_events(tally, node.name)
            layers[node.name] = (
                AC * synaptic_operations(tally, node) if events else MAC * steps * flops(node)
            )
        elif isinstance(node.op, MatMul):
            layers[node.name] = _product(tally, node)
    repeat = "once" if switches["repeat"] == "once" else "at each step"
    width = "own width" if switches["stem"] == "own" else "the width of the 512-wide model"
    return Charged(
        layers,
        (
            f"the first convolution is charged as MACs, {repeat}, at {width}",
            "SOP = mean input rate x T x dense size, taps on padding included, attention too",
            "batch norm, pooling and neurons are free",
        ),
    )


def _stem(node: Node, width: str) -> Fraction:
    if width == "own":
        return Fraction(flops(node))
    return Fraction(flops(node) * PUBLISHED_STEM_CHANNELS, node.shape[0])


def _product(tally: Tally, node: Node) -> Fraction:
    rates = operand_rates(tally, node)
    size = steps_of(tally) * product_flops(tally.graph, node)
    return AC * size * sum(rates) / len(rates) if rates else MAC * size


PAPER_MODES.add(
    "spikformer",
    PaperMode(
        "spikformer",
        "arXiv 2209.15425, eq. 22",
        charge,
        {"stem": ("own", "published"), "repeat": ("each-step", "once")},
    ),
)
