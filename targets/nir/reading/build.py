"""From the nodes and edges of a NIR graph to a graph of ops."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Add
from spikeport.core.errors import FileError, UnsupportedError
from spikeport.targets.nir.extension import PREFIX, read_extension
from spikeport.targets.nir.reading.context import PRIMITIVES, Building
from spikeport.targets.nir.reading.fields import Fields
from spikeport.targets.nir.reading.junctions import without_junctions
from spikeport.targets.nir.reading.loops import Edge, late_edges
from spikeport.targets.nir.reading.network import JUNCTION, Net
from spikeport.targets.nir.reading.primitives.moves import add_delays, delay_steps, read_input

_FIRING = frozenset({"IF", "LIF", "CubaLIF", "Threshold"})


def build(net: Net, building: Building) -> None:
    """Add the ops of all nodes, and tell which of them are outputs.

    Raises:
        FileError: a node is not as NIR has it.
        UnsupportedError: a node is of a type, or a form, that means nothing in a graph.
    """
    delays = {name: delay_steps(building, net.nodes[name]) for name in net.of_type("Delay")}
    for name, steps in delays.items():
        if not steps:
            net.nodes[name].type = JUNCTION
    net = without_junctions(net)
    _Builder(net, building, delays).run()
    building.graph.check_feedback()


class _Builder:
    """Nodes one after the other, each behind what it reads in the same time step."""

    def __init__(self, net: Net, building: Building, delays: dict[str, int]) -> None:
        self.net, self.building, self.delays = net, building, delays
        self.late = set(late_edges(net))
        self.sums: dict[tuple[str, str], str] = {}
        """By the two nodes that are added."""
        self.looped: dict[str, list[str]] = {}
        """By delay in a loop what it reads: all of it is there only in the end."""

    def run(self) -> None:
        order = {name: index for index, name in enumerate(self.net.nodes)}
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(order)
        graph.add_edges_from(
            (source, name)
            for name, reads in self.net.reads.items()
            for source in reads
            if (source, name) not in self.late
        )
        outputs = []
        for name in nx.lexicographical_topological_sort(graph, key=order.__getitem__):
            if self.net.nodes[name].type == "Output":
                outputs.append(self.value(name))
            else:
                self.add(self.net.nodes[name])
        self.building.graph.outputs = tuple(outputs)
        for name, reads in self.looped.items():
            if len(reads) > 1:
                own = self.source_of(name)
                before = self.sum(reads[:-1], f"{own}.{len(reads) - 1}")
                # A node of its own, whoever else reads that sum: the delay shows it by this name.
                self.building.add(own, Add(), before, reads[-1])

    def add(self, node: Fields) -> None:
        if node.type == "Input":
            if self.net.reads[node.name]:
                raise node.refuse("something leads to it")
            read_input(self.building, node)
        elif node.type == "Delay":
            self.delay(node)
        elif node.type.startswith(PREFIX):
            self.extension(node)
        elif node.type in PRIMITIVES:
            PRIMITIVES[node.type](self.building, node, self.value(node.name))
        else:
            raise UnsupportedError(
                f"NIR primitives of type {node.type[:80]!r} have no meaning in a graph.",
                where=node.name,
                fix=f"Known: Delay, Flatten, Input, Output, {', '.join(sorted(PRIMITIVES))}.",
            )

    def value(self, name: str) -> str:
        """The node that holds what a NIR node reads: a sum where several edges meet."""
        reads = self.net.reads[name]
        if not reads:
            raise self.net.nodes[name].refuse("nothing leads to it")
        return self.summed(name, reads)

    def summed(self, reader: str, reads: Sequence[str]) -> str:
        now = [source for source in reads if (source, reader) not in self.late]
        values = list(now)
        for source in reads:
            if (source, reader) in self.late:
                values.insert(reads.index(source), self.earlier((source, reader), now))
        return self.sum(values, f"{reader}.sum")

    def sum(self, values: Sequence[str], name: str) -> str:
        """One after the other, in the order of the edges; the same sum only once."""
        total = values[0]
        for count, value in enumerate(values[1:], 2):
            if (total, value) not in self.sums:
                own = self.building.free(name if count == len(values) else f"{name}.{count}")
                self.sums[total, value] = self.building.add(own, Add(), total, value).name
            total = self.sums[total, value]
        return total

    def earlier(self, edge: Edge, beside: Sequence[str]) -> str:
        """A node that shows what came over an edge of a loop a step before."""
        source, reader = edge
        if not beside:
            raise self.net.nodes[reader].refuse("nothing but its own loop leads to it")
        like = self.building.graph[beside[0]]
        name = self.building.free(f"{reader}.from.{source}")
        self.looping(name, source, like.shape, self.domain(source, name), 1)
        return name

    def delay(self, node: Fields) -> None:
        reads, steps = self.net.reads[node.name], self.delays[node.name]
        if not any((source, node.name) in self.late for source in reads):
            source = self.value(node.name)
            add_delays(self.building, node.name, source, self.building.graph[source], steps)
            return
        shape = node.array("delay").shape
        if not shape:
            raise node.refuse("it stands in a loop and does not tell its shape")
        self.looped[node.name] = reads
        source = reads[0] if len(reads) == 1 else self.source_of(node.name)
        domain = self.domain(reads[0], node.name) if len(reads) == 1 else Domain.REAL
        self.looping(node.name, source, shape, domain, steps)

    def looping(
        self, name: str, source: str, shape: tuple[int, ...], domain: Domain, steps: int
    ) -> None:
        like = Node(source, Add(), (), tuple(shape), domain, per_step=True)
        add_delays(self.building, name, source, like, steps)

    def source_of(self, delay: str) -> str:
        """The name of the sum that a delay in a loop shows; no node of the file has it."""
        name = f"{delay}.sum"
        while name in self.net.nodes:
            name += "_"
        return name

    def domain(self, source: str, delay: str) -> Domain:
        fires = self.net.nodes[source].type in _FIRING
        return self.building.domains.get(delay, Domain.SPIKE if fires else Domain.REAL)

    def extension(self, node: Fields) -> None:
        op, content = read_extension(node.name, node.type.removeprefix(PREFIX), node.given)
        read = {source for port in content.inputs for source in port}
        if op.feedback is not None or read != set(self.net.reads[node.name]):
            raise FileError(
                "what this node says it reads is not what its edges say.",
                where=node.name,
                fix="Lower the network again.",
            )
        ports = [self.summed(node.name, port) for port in content.inputs if port]
        if len(ports) != len(content.inputs) or (op.arity not in (None, len(ports))):
            raise node.refuse(f"a {op.kind} does not read {len(content.inputs)} inputs")
        self.building.add(node.name, op, *ports)
