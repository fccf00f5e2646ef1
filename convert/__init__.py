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
    from spikeport.convert.seal import Seal, read_seal
    from spikeport.convert.seeing.domains import SpikeDriven, spike_driven
    from spikeport.convert.seeing.table import Layer, layers
    from spikeport.convert.stepping import StepExecutor, StepInterpreter

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
    "Certificate": "parity",
    "to_graph_layout": "parity",
    "verify": "parity",
    "Seal": "seal",
    "read_seal": "seal",
    "SpikeDriven": "seeing.domains",
    "spike_driven": "seeing.domains",
    "Layer": "seeing.table",
    "layers": "seeing.table",
    "StepExecutor": "stepping",
    "StepInterpreter": "stepping",
}

__all__ = [
    "PASSES",
    "Certificate",
    "Domain",
    "Executor",
    "Graph",
    "Interpreter",
    "Layer",
    "Node",
    "Seal",
    "SpikeDriven",
    "StepExecutor",
    "StepInterpreter",
    "Tap",
    "fold_batch_norm",
    "layers",
    "read_seal",
    "run_passes",
    "spike_driven",
    "to_graph_layout",
    "trace",
    "verify",
]

__getattr__ = lazy(__name__, _PLACES)
