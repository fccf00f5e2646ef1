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


class _Channel:
    """A queue with both ends of a Lava channel; like the original it fixes dtype and shape."""

    def __init__(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.name, self.shape, self.dtype = name, shape, dtype
        self.waiting: deque[npt.NDArray[Any]] = deque()

    def send(self, data: npt.NDArray[Any]) -> None:
        if data.shape != self.shape:
            raise ValueError(f"sends shape {data.shape} into a channel of shape {self.shape}")
        self.waiting.append(np.array(data, dtype=self.dtype))

    def recv(self) -> npt.NDArray[Any]:
        return self.waiting.popleft()

    def named(self, name: str) -> _Channel:
        """The other end: the same queue under the name of the port there."""
        end = _Channel(name, self.shape, self.dtype)
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
    models = _build(network, conv_model)
    for _ in track(range(network.steps), "Lava (in-process)"):
        for process in network.processes:
            model = models[process]
            model.time_step += 1
            try:
                model.run_spk()
            except Exception as error:
                raise LavaRunError(
                    f"its model raised {type(error).__name__}: {error}",
                    process=process.name,
                    fix="Please report this together with the graph.",
                    details=traceback.format_exc(),
                    seconds=monotonic() - started,
                ) from error
    return {name: network.unstreamed(models[sink].kept) for name, sink in network.sinks.items()}


def _build(network: Network, conv_model: type[Any] | None) -> dict[Any, Any]:
    """The process models by process, connected by queues."""
    from lava.magma.compiler.compiler import Compiler
    from lava.magma.core.process.ports.ports import create_port_id

    from spikeport.targets.lava.network import run_config

    with remembered_models():
        executable = Compiler().compile(network.processes[0], run_config(conv_model))
    builders = executable.proc_builders
    for channel in executable.channel_builders:
        start, end = channel.src_port_initializer, channel.dst_port_initializer
        sending = _Channel(start.name, tuple(start.shape), start.d_type)
        receiving = sending.named(end.name)
        builders[channel.src_process].set_csp_ports([sending])
        builders[channel.dst_process].set_csp_ports([receiving])
        source = create_port_id(channel.src_process.id, start.name)
        builders[channel.dst_process].add_csp_port_mapping(source, receiving)
    return {process: builder.build() for process, builder in builders.items()}
