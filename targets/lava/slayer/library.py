"""Importing lava-dl's slayer."""

from __future__ import annotations

import contextlib
import io
from typing import Any, NamedTuple

from spikeport.core.errors import MissingPackageError
from spikeport.targets.lava.shim import import_lava


class Slayer(NamedTuple):
    """The parts of slayer that a network is made of."""

    synapse: Any
    cuba: Any


def import_slayer() -> Slayer:
    """The synapses and the CUBA neuron of lava-dl.

    Raises:
        MissingPackageError: lava-nc or lava-dl is not installed; tells how to get it.
    """
    import_lava()
    try:
        # It advertises an optional toolbox of its own on standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            from lava.lib.dl.slayer import synapse
            from lava.lib.dl.slayer.neuron import cuba
    except ModuleNotFoundError as failure:
        raise MissingPackageError(
            f"lava-dl is not installed ({failure}).",
            where="lava-dl",
            fix="Run `uv sync`, or `uv pip install spikeport[lava]` with the overrides of this "
            "project.",
        ) from failure
    return Slayer(synapse, cuba)
