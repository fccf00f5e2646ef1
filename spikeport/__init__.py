"""Spikeport carries trained spiking transformers to neuromorphic formats and says what they cost.

    from spikeport import load_model, lower, trace
    from spikeport.estimate import estimate

Everything is imported on first use, so `import spikeport` is quick and needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

import wrapt

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.bits import sweep_bits
    from spikeport.convert import (
        Graph,
        Interpreter,
        fold_batch_norm,
        trace,
        verify,
    )
    from spikeport.core.checkpoint import load_checkpoint
    from spikeport.core.errors import SpikeportError
    from spikeport.estimate.api import energy, tally
    from spikeport.streaming import stream
    from spikeport.targets import check, lower
    from spikeport.targets.lava import IntegerExecutor
    from spikeport.targets.spikingjelly import to_torch
    from spikeport.train.checkpoint import load_model
    from spikeport.train.data import open_data
    from spikeport.train.models.stf.attach import add_stf
    from spikeport.train.reference import reference_model

_PLACES = {
    "Graph": "convert",
    "Interpreter": "convert",
    "fold_batch_norm": "convert",
    "trace": "convert",
    "verify": "convert",
    "load_checkpoint": "core.checkpoint",
    "SpikeportError": "core.errors",
    "energy": "estimate.api",
    "tally": "estimate.api",
    "check": "targets",
    "IntegerExecutor": "targets.lava",
    "lower": "targets",
    "to_torch": "targets.spikingjelly",
    "load_model": "train.checkpoint",
    "add_stf": "train.models.stf.attach",
    "open_data": "train.data",
    "reference_model": "train.reference",
    "stream": "streaming",
    "sweep_bits": "bits",
}

__version__ = version("spikeport")
__all__ = [
    "Graph",
    "IntegerExecutor",
    "Interpreter",
    "SpikeportError",
    "add_stf",
    "check",
    "energy",
    "fold_batch_norm",
    "load_checkpoint",
    "load_model",
    "lower",
    "open_data",
    "reference_model",
    "stream",
    "sweep_bits",
    "tally",
    "to_torch",
    "trace",
    "verify",
]

__getattr__ = lazy(__name__, _PLACES)


@wrapt.when_imported("timm.models")
def _register_with_timm(_: object) -> None:
    """timm lists our models too, as soon as somebody imports it."""
    import_module("spikeport.train.models.timm_registry")
