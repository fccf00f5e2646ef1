"""Spikeport carries trained spiking transformers to neuromorphic formats and says what they cost.

    from spikeport import trace, load_graph, save_graph, estimate, lower

Everything is imported on first use, so `import spikeport` is quick and needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikeport.convert import (
        Graph,
        Interpreter,
        fold_batch_norm,
        load_graph,
        save_graph,
        trace,
        verify,
    )
    from spikeport.core.errors import SpikeportError
    from spikeport.estimate import estimate
    from spikeport.targets.lava import IntegerExecutor, lower
    from spikeport.train.checkpoint import load_model
    from spikeport.train.data import open_data

_PLACES = {
    "Graph": "convert",
    "Interpreter": "convert",
    "fold_batch_norm": "convert",
    "load_graph": "convert",
    "save_graph": "convert",
    "trace": "convert",
    "verify": "convert",
    "SpikeportError": "core.errors",
    "estimate": "estimate",
    "IntegerExecutor": "targets.lava",
    "lower": "targets.lava",
    "load_model": "train.checkpoint",
    "open_data": "train.data",
}

__version__ = version("spikeport")
__all__ = [
    "Graph",
    "IntegerExecutor",
    "Interpreter",
    "SpikeportError",
    "estimate",
    "fold_batch_norm",
    "load_graph",
    "load_model",
    "lower",
    "open_data",
    "save_graph",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
