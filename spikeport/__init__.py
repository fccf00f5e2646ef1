"""Spikeport carries trained spiking transformers to neuromorphic formats and says what they cost.

    from spikeport import load_model, lower, trace
    from spikeport.estimate import estimate

Everything is imported on first use, so `import spikeport` is quick and needs no torch.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.convert import (
        Graph,
        Interpreter,
        fold_batch_norm,
        trace,
        verify,
    )
    from spikeport.core.errors import SpikeportError
    from spikeport.targets import check
    from spikeport.targets.lava import IntegerExecutor, lower
    from spikeport.train.checkpoint import load_model
    from spikeport.train.data import open_data

_PLACES = {
    "Graph": "convert",
    "Interpreter": "convert",
    "fold_batch_norm": "convert",
    "trace": "convert",
    "verify": "convert",
    "SpikeportError": "core.errors",
    "check": "targets",
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
    "check",
    "fold_batch_norm",
    "load_model",
    "lower",
    "open_data",
    "trace",
    "verify",
]

__getattr__ = lazy(__name__, _PLACES)
