"""What a `.net` file cannot hold, or netx would leave out without a word."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Input, Linear, Neuron, Reshape
from spikeport.targets.lava.frames import graph_entry
from spikeport.targets.lava.host import lava_part
from spikeport.targets.lava.limits import BIAS_LIMIT, CURRENT_SHIFT
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.region import on_lava

GEOMETRY_LIMIT = 127
"""Lava's convolution, which netx uses, keeps sizes in int8: larger ones fail or give zeros."""

DENSE_WEIGHTS = range(-256, 255)
"""netx clips what lies outside."""

_KINDS = (Input, Conv, Linear, LavaLIF, Reshape)
_POOL = ("netx has no pooling.", "Use a convolution with stride in its place.")
_ATTENTION = (
    "netx has no products of spikes with spikes: attention cannot be expressed.",
    "Export a network of convolutions and linear layers only.",
)
_REFUSED: dict[str, tuple[str, str]] = {
    "add": (
        "netx runs layers one after the other: a residual sum cannot be expressed, and a layer of "
        "unknown type would be left out without a word.",
        "Train without residual connections, or run it on the backends 'pump' and 'runtime'.",
    ),
    "max_pool": _POOL,
    "lava.avg_pool": _POOL,
    "lava.mean": _POOL,
    "sum": _POOL,
    "matmul": _ATTENTION,
    "multiply": _ATTENTION,
    "repeat_time": (
        "the network repeats an image over time, which a file cannot say.",
        "Trace the model with frames per time step.",
    ),
}


def check_net(graph: Graph, *, spikes_only: bool = False) -> list[Finding]:
    """Everything in an integer graph that stands against a `.net` file.

    Args:
        spikes_only: allow that what stands behind the last neuron is not in the file.
    """
    part, region = lava_part(graph), on_lava(graph)
    found = [finding for node in part for finding in _of_kind(node)]
    if not found:
        found = [finding for node in part for finding in _of_place(part, node)]
        found += _of_input(graph)
    behind = [node for node in graph if node.name not in region]
    if behind and not spikes_only:
        found += [
            error(
                node,
                f"this {node.op.kind} behind the last neuron would not be in the file.",
                "Compute it from the spikes that come out, and say so with spikes_only=True.",
            )
            for node in behind
        ]
    return found


def _of_kind(node: Node) -> Iterator[Finding]:
    if not isinstance(node.op, _KINDS):
        unknown = (
            f"netx has no layer for {node.op.kind!r}, and leaves unknown types out without a word.",
            "Run it on the backends 'pump' and 'runtime'.",
        )
        yield error(node, *_REFUSED.get(node.op.kind, unknown))


def _of_input(graph: Graph) -> Iterator[Finding]:
    if graph_entry(graph).quantised:
        yield error(
            graph.input,
            "a file cannot say how real values become whole numbers.",
            "Feed event counts.",
        )
    if len(graph.input.shape) not in (1, 3):
        yield error(graph.input, "netx reads [C, H, W] or [N].", "Reshape the frames.")


def _of_place(part: Graph, node: Node) -> Iterator[Finding]:
    readers = part.consumers(node.name)
    if len(readers) > 1:
        why = f"{len(readers)} layers read it; netx runs layers one after the other."
        yield error(node, why, "Train without branches.")
        return
    reader = readers[0] if readers else None
    if isinstance(node.op, Conv | Linear):
        if reader is None or not isinstance(reader.op, Neuron):
            why = "no neuron follows it directly; each layer of netx has one."
            yield error(node, why, "Put a neuron behind it.")
        yield from _of_synapse(part, node)
    elif isinstance(node.op, LavaLIF):
        if not isinstance(part[node.inputs[0]].op, Conv | Linear):
            why = "no convolution or linear layer feeds it; each neuron of netx has one."
            yield error(node, why, "Put a layer before it.")
        yield from _of_neuron(node, node.op)
    elif isinstance(node.op, Reshape):
        yield from _of_reshape(part, node, reader)


def _of_reshape(part: Graph, node: Node, reader: Node | None) -> Iterator[Finding]:
    source = part[node.inputs[0]]
    flattens = len(node.shape) == 1 and len(source.shape) == 3
    if not flattens or reader is None or not isinstance(reader.op, Linear):
        yield error(
            node,
            "netx only flattens [C, H, W] before a linear layer.",
            "Reshape outside of the network.",
        )
    elif not isinstance(source.op, Neuron):
        yield error(
            node,
            "netx leaves out a flatten before the first layer without a word.",
            "Give frames [N], or let a convolution be first.",
        )


def _of_synapse(part: Graph, node: Node) -> Iterator[Finding]:
    shape = part[node.inputs[0]].shape
    if isinstance(node.op, Conv):
        if len(shape) != 3:
            yield error(node, "netx convolves over H and W only.", "Use a 2-d convolution.")
        largest = max(*shape, *node.shape, node.op.groups)
        if largest > GEOMETRY_LIMIT:
            yield error(
                node,
                f"its size of {largest} exceeds {GEOMETRY_LIMIT}: Lava's own convolution, which "
                "netx uses, keeps sizes in int8.",
                "Run it on the backends 'pump' and 'runtime', which use another one.",
            )
    elif isinstance(node.op, Linear):
        low, high = int(node.op.weight.min()), int(node.op.weight.max())
        if len(shape) != 1:
            why = "netx has linear layers on one axis only."
            yield error(node, why, "Use a 1 x 1 convolution over positions.")
        if low not in DENSE_WEIGHTS or high not in DENSE_WEIGHTS:
            yield error(
                node,
                f"its weights reach from {low} to {high}; netx clips them to "
                f"{DENSE_WEIGHTS[0]} ... {DENSE_WEIGHTS[-1]}.",
                "Lower with extra_bits=0 and fewer weight_bits.",
            )
        if low == high == 0:
            yield error(node, "all its weights are zero, which netx cannot scale.", "Remove it.")


def _of_neuron(node: Node, op: LavaLIF) -> Iterator[Finding]:
    if op.thresholds is not None:
        yield error(
            node,
            "its threshold differs between channels; a file holds one per layer.",
            "Train with one threshold per layer.",
        )
    if op.bias_mant is None:
        return
    if len(node.shape) > 1:
        whole = op.bias_mant.expand(node.shape).flatten(1)
        if bool((whole != whole[:, :1]).any()):
            why = "its bias differs between positions; a file holds one per channel."
            yield error(node, why, "Use biases per channel.")
    membrane = op.bias_mant.long() << op.bias_exp
    if bool((membrane % (1 << CURRENT_SHIFT)).any()):
        yield error(
            node,
            "its bias is no whole number of currents; netx knows no finer one.",
            "Round it with netx.with_whole_biases(artefact), whose report tells the effect.",
        )
    elif int(membrane.abs().max()) >> CURRENT_SHIFT > BIAS_LIMIT:
        why = f"its bias exceeds {BIAS_LIMIT}, the range of int16, and would wrap."
        yield error(node, why, "Train with smaller biases.")
