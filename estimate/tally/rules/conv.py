"""Convolution: events times the fan-out of their position."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.geometry import axis_incidence, outer
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import register_rule
from spikeport.estimate.tally.rules.synaptic import Synapses, synaptic_plan


@register_rule(Conv)
def count_conv(node: Node, facts: Facts) -> NodePlan:
    """SOP = sum over events of C_out / groups times the taps that reach an existing output."""
    op = node.op
    if not isinstance(op, Conv):
        raise TypeError(f"not a convolution: {op.kind}")
    (source,) = facts.inputs(node)
    incidence = [
        axis_incidence(*axis)
        for axis in zip(
            source.shape[1:], op.kernel, op.stride, op.padding, op.dilation, strict=True
        )
    ]
    per_group = op.out_channels // op.groups
    fan_out = per_group * outer([axis.sum(0) for axis in incidence]).unsqueeze(0)
    taps = math.prod(int(axis.sum().item()) for axis in incidence)
    return synaptic_plan(
        node,
        facts,
        Synapses(
            fan_out=fan_out,
            effective=_effective(op, incidence),
            dense=taps * op.in_channels * per_group,
            dense_padded=math.prod(node.shape) * math.prod(op.weight.shape[1:]),
            biased=op.bias is not None,
        ),
    )


def _effective(op: Conv, incidence: list[Tensor]) -> Tensor | None:
    """Fan-out over non-zero weights `[C_in, *space]`, or None if there are no zeros."""
    present = op.weight.detach().cpu().ne(0)
    if bool(present.all()):
        return None
    # Weights of a group: [groups, C_out / groups, C_in / groups, *kernel].
    by_input = present.reshape(op.groups, -1, *present.shape[1:]).sum(1).flatten(0, 1).double()
    axes = "kl"[: len(incidence)]
    terms = ",".join(f"{tap}{place}" for tap, place in zip(axes, "ij", strict=False))
    return torch.einsum(f"c{axes},{terms}->c{'ij'[: len(axes)]}", by_input, *incidence)
