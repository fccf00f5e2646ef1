"""The energy convention of Spikingformer's published counting tool."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.estimate.paper.registry import PAPER_MODES, Charged, PaperMode
from spikeport.estimate.paper.sizes import (
    AC,
    MAC,
    flops,
    head_of,
    operand_rates,
    product_flops,
    reads_events,
    stem_of,
    steps_of,
    synaptic_operations,
)
from spikeport.estimate.tally.tally import Tally


def charge(tally: Tally, switches: Mapping[str, str]) -> Charged:
    """E = MAC (T FLOPs(conv1) + FLOPs(head)) + AC (sum of SOP(conv, linear) + SOP(attention)).

    Attention: T N d^2 (min(r_k, r_v) + r_q) per head. The published log of 8-768 has 0.521 G MACs:
    the first convolution four times and the head once. Layers that read sums of spikes count as
    AC, or as MAC at the same rate (`multi-spike=mac`): 7.73 or 12.43 mJ for the same Spikformer.
    """
    layers: dict[str, Fraction] = {}
    stem, head, steps = stem_of(tally.graph), head_of(tally.graph), steps_of(tally)
    for node in tally.graph:
        if node.name == stem:
            layers[node.name] = MAC * steps * flops(node)
        elif node.name == head:
            layers[node.name] = MAC * flops(node) * (steps if node.per_step else 1)
        elif isinstance(node.op, MatMul):
            layers[node.name] = _attention(tally, node)
        elif isinstance(node.op, Conv | Linear):
            layers[node.name] = _layer(tally, node, switches["multi-spike"] == "mac")
    dear = "MACs" if switches["multi-spike"] == "mac" else "additions"
    return Charged(
        layers,
        (
            "the first convolution is charged as MACs at each step, the head as MACs",
            f"layers that read sums of spikes are charged as {dear}, at their input rate",
            "attention: T N d^2 (min(r_k, r_v) + r_q) additions per head",
            "taps on padding included; batch norm, pooling and neurons are dropped",
        ),
    )


def _attention(tally: Tally, node: Node) -> Fraction:
    rates, size = operand_rates(tally, node), product_flops(tally.graph, node)
    return AC * steps_of(tally) * size * min(rates) if rates else MAC * steps_of(tally) * size


def _layer(tally: Tally, node: Node, multi_spike_is_mac: bool) -> Fraction:
    if not reads_events(tally, node.name):
        return MAC * steps_of(tally) * flops(node)
    multi_spike = tally.graph[node.inputs[0]].domain is not Domain.SPIKE
    return (MAC if multi_spike and multi_spike_is_mac else AC) * synaptic_operations(tally, node)


PAPER_MODES.add(
    "spikingformer",
    PaperMode(
        "spikingformer",
        "Spikingformer's README and counting tool, arXiv 2304.11954",
        charge,
        {"multi-spike": ("ac", "mac")},
    ),
)
