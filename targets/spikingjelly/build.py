"""A graph as a network of modules."""

from __future__ import annotations

import torch
from torch import nn

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Delay, Input
from spikeport.convert.schedule import schedule
from spikeport.core.errors import UnsupportedError
from spikeport.targets.spikingjelly.calls import Call, GraphLoop, GraphNet
from spikeport.targets.spikingjelly.places import Places
from spikeport.targets.spikingjelly.regions import Region, regions
from spikeport.targets.spikingjelly.writers import Where, write


def to_torch(graph: Graph, *, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A network with SpikingJelly's neurons and layers that computes what a graph means.

    Multi-step: it takes frames `[T, B, *shape]`, or images `[B, *shape]` where the graph repeats
    them itself, and gives the graph's output. Modules sit at the module paths of the traced model;
    parameters are trainable, and neurons have SpikingJelly's default surrogate. It is in eval mode.
    Batch norms stay where they were not folded; those that were are gone, so keep them for
    training (`trace(..., fold=False)`).

    Tracing it again gives the same graph, with `dtype=torch.float64` to the last bit.

    Args:
        dtype: of parameters. Folded batch norms leave float64 behind.

    Raises:
        UnsupportedError: an op has no module, or a feedback loop is no `TimeLoop`; tells where.
    """
    if len(graph.outputs) != 1:
        raise UnsupportedError(f"a graph with {len(graph.outputs)} outputs makes no forward.")
    builder = _Builder(graph, dtype)
    for region in regions(graph, schedule(graph)):
        builder.add(region)
    return builder.finish()


class _Builder:
    def __init__(self, graph: Graph, dtype: torch.dtype) -> None:
        self._graph, self._dtype = graph, dtype
        self._places = Places()
        self._calls: list[Call] = []

    def add(self, region: Region) -> None:
        if region.is_loop:
            self._calls.append(self._loop(region))
            return
        (node,) = region.nodes
        if not isinstance(node.op, Input):
            self._calls.append(self._call(node, in_loop=False, inside=""))

    def finish(self) -> nn.Module:
        entry = self._graph.input.name
        net = GraphNet(self._calls, entry, self._graph.outputs[0])
        self._places.fill(net)
        return net.eval()

    def _call(self, node: Node, *, in_loop: bool, inside: str) -> Call:
        where = Where(
            node=node,
            shapes=tuple(self._graph[name].shape for name in node.inputs),
            leading=2 if node.per_step and not in_loop else 1,
            in_loop=in_loop,
            dtype=self._dtype,
        )
        written = write(where)
        if not isinstance(written, nn.Module):
            return Call(node.name, node.inputs, function=written)
        path = self._places.take(node.path or node.name, written, inside)
        return Call(node.name, node.inputs, path.removeprefix(f"{inside}.") if inside else path)

    def _loop(self, region: Region) -> Call:
        """A feedback loop as a module of its own, where its parts stood in the traced model."""
        inside = self._places.reserve(region.path)
        delay = region.delay
        assert isinstance(delay.op, Delay)
        calls = [
            self._call(node, in_loop=True, inside=inside) for node in region.nodes if node != delay
        ]
        loop = GraphLoop(calls, region.entry, delay.name, region.exit, delay.op.source, delay.shape)
        self._places.put(inside, loop)
        return Call(region.exit, (region.entry,), inside)
