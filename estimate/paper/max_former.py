"""The energy convention of Max-Former (arXiv 2505.18608, appendix B)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from spikeport.convert.ops import Conv, Linear
from spikeport.estimate.paper.registry import PAPER_MODES, Charged, PaperMode
from spikeport.estimate.paper.sizes import (
    AC,
    MAC,
    flops,
    reads_events,
    stem_of,
    steps_of,
    synaptic_operations,
)
from spikeport.estimate.tally.tally import Tally


def charge(tally: Tally, switches: Mapping[str, str]) -> Charged:
    """E = MAC FLOPs(conv1) + AC (sum of SOP(conv, from the second) + sum of SOP(linear)).

    SOP(l) = rate of l's input x T x FLOPs(l), FLOPs(l) = outputs x fan-in, padding included;
    4.6 and 0.9 pJ. Layers behind the first that read real values are charged T x FLOPs MACs: the
    published 0.007 mJ of MS-QKFormer's head is 384 x 1000 x 4 x 4.6 pJ.
    """
    layers: dict[str, Fraction] = {}
    stem = stem_of(tally.graph)
    for node in tally.graph:
        if not isinstance(node.op, Conv | Linear):
            continue
        if node.name == stem:
            layers[node.name] = MAC * flops(node)
        elif reads_events(tally, node.name):
            layers[node.name] = AC * synaptic_operations(tally, node)
        else:
            layers[node.name] = MAC * steps_of(tally) * flops(node)
    return Charged(
        layers,
        (
            "the first convolution is charged as MACs, once per sample, whatever it reads",
            "SOP = mean input rate x T x dense size, taps on padding included",
            "products in attention, batch norm, pooling and neurons are free",
        ),
    )


PAPER_MODES.add(
    "max-former", PaperMode("max-former", "arXiv 2505.18608, appendix B, eq. 23", charge)
)
