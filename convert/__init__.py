"""The graph: ops, tracing, passes, the interpreter that defines its meaning, and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.convert.api import trace
    from spikeport.convert.domain import Domain
    from spikeport.convert.executor import Executor, Tap
    from spikeport.convert.graph import Graph, Node
    from spikeport.convert.interpreter import Interpreter
    from spikeport.convert.parity import Certificate, to_graph_layout, verify
    from spikeport.convert.passes import PASSES, fold_batch_norm, run_passes
    from spikeport.convert.storage import load_graph, save_graph

_PLACES = {
    "trace": "api",
    "Domain": "domain",
    "Executor": "executor",
    "Tap": "executor",
    "Graph": "graph",
    "Node": "graph",
    "Interpreter": "interpreter",
    "PASSES": "passes",
    "fold_batch_norm": "passes",
    "run_passes": "passes",
    "load_graph": "storage",
    "save_graph": "storage",
    "Certificate": "parity",
    "to_graph_layout": "parity",
    "verify": "parity",
}

__all__ = [
    "PASSES",
    "Certificate",
    "Domain",
    "Executor",
    "Graph",
    "Interpreter",
    "Node",
    "Tap",
    "fold_batch_norm",
    "load_graph",
    "run_passes",
    "save_graph",
    "to_graph_layout",
    "trace",
    "verify",
]

__getattr__ = lazy(__name__, _PLACES)
