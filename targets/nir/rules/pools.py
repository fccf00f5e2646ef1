"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator

import nir
import numpy as np

from spikeport.convert.check import Finding, Status, Treatment
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import AvgPool, MaxPool, SumPool
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, refused, rule


def _two_axes(node: Node) -> Iterator[Finding]:
    if len(node.shape) != 3:
        yield refused(node, "NIR pools over two axes, this is one.", "Pool over [C, H, W].")


def _window(
    op: AvgPool | MaxPool | SumPool,
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    window = {"kernel_size": op.kernel, "stride": op.stride, "padding": op.padding}
    return {name: np.array(sizes, dtype=np.int64) for name, sizes in window.items()}


@rule(AvgPool)
class AvgPoolRule(Rule):
    """`AvgPool2d`: every reader counts padding as zeros in the mean."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        yield from _two_axes(node)
        if isinstance(node.op, AvgPool) and any(node.op.padding) and not node.op.count_padding:
            yield refused(
                node,
                "its mean leaves padding out; NIR's average pool counts it as zeros.",
                "Use count_include_pad=True, or no padding.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, AvgPool):
            raise TypeError(f"not an average pool: {node.op.kind}")
        return network.add(node.name, nir.AvgPool2d(**_window(node.op)), network.read(node))


@rule(SumPool)
class SumPoolRule(Rule):
    """`SumPool2d`."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        yield from _two_axes(node)

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, SumPool):
            raise TypeError(f"not a sum pool: {node.op.kind}")
        return network.add(node.name, nir.SumPool2d(**_window(node.op)), network.read(node))


@rule(MaxPool)
class MaxPoolRule(Rule):
    """The maximum of spikes is 1 where their sum is above one half."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        yield from _two_axes(node)
        domain = plan.input_of(node).domain
        if domain is not Domain.SPIKE:
            yield refused(
                node,
                f"it takes the maximum of {domain} values; NIR has no maximum, and only that of "
                "spikes can be had by a sum and a threshold.",
                "Pool the spikes behind the neuron instead, or use average pooling.",
            )

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        return Treatment(
            Status.REWRITTEN,
            by="pool-of-spikes",
            how="the sum of the window's spikes, above one half",
        )

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, MaxPool):
            raise TypeError(f"not a max pool: {node.op.kind}")
        summed = network.add(
            f"{node.name}.sum", nir.SumPool2d(**_window(node.op)), network.read(node)
        )
        return network.add(node.name, nir.Threshold(np.full(node.shape, 0.5)), summed)
