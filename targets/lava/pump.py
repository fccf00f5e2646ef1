"""Lava's own process models, stepped inside this process: same results, no operating-system
processes, ordinary tracebacks.

Imports Lava: use only after `shim.import_lava()`.
"""

from __future__ import annotations

import traceback
from collections import deque
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from spikeport.core.progress import track
from spikeport.targets.lava.discovery import remembered_models
from spikeport.targets.lava.errors import LavaRunError
from spikeport.targets.lava.network import Network
from spikeport.targets.lava.processes.api import Integers


class TimeStep:
    """Runs the models of one time step after the other, once each.

    A model in a feedback loop receives only after others ran to which it has sent already; these
    run when it asks.
    """

    def __init__(self) -> None:
        self.models: list[tuple[str, Any]] = []
        self._next = 0

    def run(self) -> None:
        self._next = 0
        while self._next < len(self.models):
            self._run_one()

    def until(self, waiting: deque[npt.NDArray[Any]]) -> None:
        """Run on until something waits there."""
        while not waiting and self._next < len(self.models):
            self._run_one()

    def _run_one(self) -> None:
        name, model = self.models[self._next]
        self._next += 1
        model.time_step += 1
        try:
            model.run_spk()
        except _Failed:
            raise
        except Exception as error:
            raise _Failed(name, error, traceback.format_exc()) from error


class _Failed(Exception):
    """A process model raised."""

    def __init__(self, process: str, error: Exception, details: str) -> None:
        super().__init__(process)
        self.process, self.error, self.details = process, error, details


class _Channel:
    """A queue with both ends of a Lava channel; like the original it fixes dtype and shape."""

    def __init__(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, step: TimeStep
    ) -> None:
        self.name, self.shape, self.dtype, self._step = name, shape, dtype, step
        self.waiting: deque[npt.NDArray[Any]] = deque()

    def send(self, data: npt.NDArray[Any]) -> None:
        if data.shape != self.shape:
            raise ValueError(f"sends shape {data.shape} into a channel of shape {self.shape}")
        self.waiting.append(np.array(data, dtype=self.dtype))

    def recv(self) -> npt.NDArray[Any]:
        if not self.waiting:
            self._step.until(self.waiting)
        return self.waiting.popleft()

    def named(self, name: str) -> _Channel:
        """The other end: the same queue under the name of the port there."""
        end = _Channel(name, self.shape, self.dtype, self._step)
        end.waiting = self.waiting
        return end


def pump(network: Network, conv_model: type[Any] | None = None) -> dict[str, Integers]:
    """Compile a network with Lava's compiler and step its models in topological order.

    Args:
        conv_model: another model for Lava's `Conv` than `FastConvModel`.

    Returns:
        what each sink kept, `[T, N, *shape]`.

    Raises:
        LavaRunError: a process model raised; names it.
        UsageError: the network has run already.
    """
    started = monotonic()
    network.take()
    models, step = assembled(network, conv_model)
    for _ in track(range(network.steps), "Lava (in-process)"):
        try:
            step.run()
        except _Failed as failed:
            raise LavaRunError(
                f"its model raised {type(failed.error).__name__}: {failed.error}",
                process=failed.process,
                fix="Please report this together with the graph.",
                details=failed.details,
                seconds=monotonic() - started,
            ) from failed.error
    return {name: network.unstreamed(models[sink].kept) for name, sink in network.sinks.items()}


def assembled(network: Network, conv_model: type[Any] | None) -> tuple[dict[Any, Any], TimeStep]:
    """The process models by process, connected by queues, and what runs them for one step."""
    step = TimeStep()
    models = _build(network, conv_model, step)
    step.models = [(process.name, models[process]) for process in network.processes]
    return models, step


def _build(network: Network, conv_model: type[Any] | None, step: TimeStep) -> dict[Any, Any]:
    """The process models by process, connected by queues."""
    from lava.magma.compiler.compiler import Compiler
    from lava.magma.core.process.ports.ports import create_port_id

    from spikeport.targets.lava.network import run_config

    with remembered_models():
        executable = Compiler().compile(network.processes[0], run_config(conv_model))
    builders = executable.proc_builders
    for channel in executable.channel_builders:
        start, end = channel.src_port_initializer, channel.dst_port_initializer
        sending = _Channel(start.name, tuple(start.shape), start.d_type, step)
        receiving = sending.named(end.name)
        builders[channel.src_process].set_csp_ports([sending])
        builders[channel.dst_process].set_csp_ports([receiving])
        source = create_port_id(channel.src_process.id, start.name)
        builders[channel.dst_process].add_csp_port_mapping(source, receiving)
    return {process: builder.build() for process, builder in builders.items()}
