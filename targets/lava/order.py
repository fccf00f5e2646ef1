"""The order in which processes run within one step."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from typing import TypeVar

import networkx as nx

Process = TypeVar("Process", bound=Hashable)


def in_running_order(
    processes: Sequence[Process],
    links: Sequence[tuple[Process, Process]],
    registers: Set[Process],
) -> list[Process]:
    """Upstream first. Inside a loop, what sends before it receives need not wait for its input.

    Args:
        links: (sender, receiver).
        registers: the processes that send before they receive; every loop holds one.
    """
    position = {process: index for index, process in enumerate(processes)}
    net: nx.DiGraph[Process] = nx.DiGraph()
    net.add_nodes_from(position)
    net.add_edges_from(links)
    for loop in list(nx.strongly_connected_components(net)):
        closing = [(a, b) for a, b in links if a in loop and b in loop and b in registers]
        net.remove_edges_from(closing)
    return list(nx.lexicographical_topological_sort(net, key=position.__getitem__))
