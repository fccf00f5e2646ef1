"""The energy convention of Max-Former (arXiv 2505.18608, appendix B)."""

from __future__ import annotations

import math
from fractions import Fraction

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear
from spikeport.estimate.energy.load import ENERGY_MODELS
from spikeport.estimate.paper.registry import PAPER_MODES, PaperEstimate
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term


@PAPER_MODES.register("max-former")
def max_former(tally: Tally) -> PaperEstimate:
    """E = MAC FLOPs(conv1) + AC (sum of SOP(conv, from the second) + sum of SOP(linear)).

    SOP(l) = rate of l's input x T x FLOPs(l), FLOPs(l) = outputs x fan-in, padding included;
    4.6 and 0.9 pJ. Layers behind the first that read real values are charged T x FLOPs MACs: the
    published 0.007 mJ of MS-QKFormer's head is 384 x 1000 x 4 x 4.6 pJ.
    """
    model = ENERGY_MODELS["horowitz45-fp32"]
    mac, ac = model.constants["mac"].picojoule, model.constants["ac"].picojoule
    steps = max(tally.steps or 0, 1)
    layers: dict[str, Fraction] = {}
    stem = next((node.name for node in tally.graph if isinstance(node.op, Conv)), None)
    for node in tally.graph:
        if not isinstance(node.op, Conv | Linear):
            continue
        if node.name == stem:
            layers[node.name] = mac * flops(node)
        elif Term.SITES in tally.plans[node.name].terms:
            layers[node.name] = ac * tally.input_rate(node.name) * steps * flops(node)
        else:
            layers[node.name] = mac * steps * flops(node)
    return PaperEstimate(
        mode="max-former",
        source="arXiv 2505.18608, appendix B, eq. 23",
        layers=layers,
        conventions=(
            "the first convolution is charged as MACs, once per sample, whatever it reads",
            "SOP = mean input rate x T x dense size, taps on padding included",
            "products in attention, batch norm, pooling and neurons are free",
        ),
    )


def flops(node: Node) -> int:
    """Outputs times fan-in of a layer with weights, per step."""
    if not isinstance(node.op, Conv | Linear):
        raise TypeError(f"{node.op.kind} has no weights")
    return math.prod(node.shape) * math.prod(node.op.weight.shape[1:])
