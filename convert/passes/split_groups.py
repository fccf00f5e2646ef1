"""One convolution per group, for targets that know no groups."""

from __future__ import annotations

from dataclasses import replace

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Concat, Conv, Slice
from spikeport.convert.passes.copying import Copy


def split_groups(graph: Graph, *, depthwise: bool = False) -> Graph:
    """A convolution of g groups as g convolutions on slices of the channels, side by side.

    Args:
        depthwise: also split convolutions of one channel per group, into as many nodes; left out,
            since targets without groups mostly know these.
    """
    chosen = {node.name for node in graph if _is_grouped(node, depthwise=depthwise)}
    if not chosen:
        return graph
    copy = Copy(graph)
    for node in graph:
        if node.name in chosen:
            copy.names[node.name] = _split(copy, node, graph[node.inputs[0]].shape[0])
        else:
            copy.keep(node)
    return copy.finish([copy.names[name] for name in graph.outputs])


def _is_grouped(node: Node, *, depthwise: bool) -> bool:
    op = node.op
    if not isinstance(op, Conv) or op.groups == 1:
        return False
    return depthwise or op.groups < op.in_channels


def _split(copy: Copy, node: Node, channels: int) -> str:
    op = node.op
    if not isinstance(op, Conv):
        raise TypeError(f"not a convolution: {op.kind}")
    source = copy.names[node.inputs[0]]
    reads, writes = channels // op.groups, op.out_channels // op.groups
    parts = []
    for group in range(op.groups):
        out = slice(group * writes, (group + 1) * writes)
        part = copy.add(
            f"{node.name}.in{group}",
            Slice(0, group * reads, (group + 1) * reads),
            [source],
            of=node,
        )
        alone = replace(
            op,
            weight=op.weight[out].clone(),
            bias=None if op.bias is None else op.bias[out].clone(),
            groups=1,
        )
        parts.append(copy.add(f"{node.name}.group{group}", alone, [part], of=node))
    return copy.add(node.name, Concat(0), parts, of=node)
