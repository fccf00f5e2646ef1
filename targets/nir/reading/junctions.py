"""Nodes that only pass on what they read, taken out."""

from __future__ import annotations

from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.reading.network import JUNCTION, Net


def without_junctions(net: Net) -> Net:
    """The same network, each reader of a junction reading what the junction reads.

    Raises:
        UnsupportedError: junctions alone form a loop.
        FileError: a node would read another one twice.
    """
    kept = {name: node for name, node in net.nodes.items() if node.type != JUNCTION}
    result = Net(kept)
    for name in kept:
        reads = [origin for source in net.reads[name] for origin in _origins(net, source, ())]
        if len(set(reads)) < len(reads):
            raise net.nodes[name].refuse("it reads one node twice, over a nested graph or a delay")
        result.reads[name] = reads
    return result


def _origins(net: Net, name: str, on_the_way: tuple[str, ...]) -> list[str]:
    if net.nodes[name].type != JUNCTION:
        return [name]
    if name in on_the_way:
        raise UnsupportedError(
            "a loop of nested graphs without any node in it has no value.",
            where=name,
            fix="Put a neuron or a delay into it.",
        )
    sources = net.reads[name]
    return [each for source in sources for each in _origins(net, source, (*on_the_way, name))]
