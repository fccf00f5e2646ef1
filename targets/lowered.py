"""What lowering produces, whatever the target: it runs, it reports, it is saved."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.core.errors import UnknownNameError


class Tolerance(NamedTuple):
    """How far a run may be from another one of the same network."""

    spikes: float
    """Largest share of spikes that may differ; 0 where arithmetic is exact."""
    outputs: float
    """Largest difference of outputs, in samples whose spikes are all equal."""


EXACT = Tolerance(0.0, 0.0)
FLOAT32 = Tolerance(1e-3, 1e-4)
"""Sums in another order flip a spike at a threshold now and then, and flips spread."""


class Run(NamedTuple):
    """What one run emitted."""

    outputs: Tensor
    """Of the graph, `[B, *shape]` (or `[T, B, *shape]`)."""
    spikes: Mapping[str, Tensor]
    """By neuron node in graph order, bool `[T, B, *feature]`; empty unless asked for."""
    backend: str
    """What ran it."""
    seconds: float = 0.0
    """Wall time, without preparation."""


class LoweringReport(Protocol):
    """What was approximated, and how close to its limits the network came."""

    def as_json(self) -> dict[str, Any]: ...

    def warnings(self) -> Sequence[Any]:
        """What a user should look at; each says it as a string."""
        ...


class Lowered(Protocol):
    """A network on a target.

    Attributes:
        target: its name.
        graph: what the target runs.
        report: what lowering did.
        backends: what can run it, the default first.
        latency: steps by which the last neurons lag behind the input on the target.
        tolerance: how far runs of it may be from each other, on other machines too.
    """

    @property
    def target(self) -> str: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def report(self) -> LoweringReport: ...
    @property
    def backends(self) -> tuple[str, ...]: ...
    @property
    def latency(self) -> int: ...
    @property
    def tolerance(self) -> Tolerance: ...

    def run(self, frames: Tensor, *, backend: str | None = None, spikes: bool = False) -> Run:
        """Run a batch from rest.

        Args:
            frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
            backend: one of `backends`; the first if not given.
            spikes: also keep the spikes of every neuron layer.

        Raises:
            UnknownNameError: there is no such backend.
            SpikeportError: the frames do not suit the graph, or the backend fails.
        """
        ...

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the target's files into a folder, each atomically, with a README.txt that says
        what they are and how to run them without Spikeport. `write_artefact` also writes what
        `spikeport verify` needs."""
        ...


def chosen_backend(lowered: Lowered, backend: str | None) -> str:
    """The backend that is meant.

    Raises:
        UnknownNameError: there is no such backend.
    """
    if backend is None:
        return lowered.backends[0]
    if backend not in lowered.backends:
        raise UnknownNameError(f"backend of {lowered.target}", backend, lowered.backends)
    return backend


def run_executor(executor: Executor, frames: Tensor, backend: str, *, spikes: bool = True) -> Run:
    """Run any executor, and keep the spikes of every neuron layer on request.

    Args:
        frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
    """
    kept: dict[str, Tensor] = {}

    def tap(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            kept[node.name] = value.bool().cpu()

    started = monotonic()
    outputs = executor.run(frames, tap if spikes else None)
    return Run(outputs, kept, backend, monotonic() - started)
