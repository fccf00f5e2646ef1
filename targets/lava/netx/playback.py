"""Reading `.net` files back: what netx makes of them, step by step in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from spikeport.core.errors import UsageError
from spikeport.targets.lava.shim import import_lava

if TYPE_CHECKING:
    from spikeport.targets.lava.netx.api import NetFile


def run_net(
    file: NetFile, frames: Tensor, *, conv_model: type[Any] | None = None
) -> dict[str, Tensor]:
    """Let `lava.lib.dl.netx.hdf5.Network` read a file, and run it on Lava's process models.

    Args:
        frames: `[T, B, *shape]` whole numbers; the B samples are streamed back to back.
        conv_model: another model for Lava's `Conv` than the fast one.

    Returns:
        spikes by neuron, bool `[T, B, *feature]`, without the steps by which layers lag behind.

    Raises:
        MissingPackageError: lava-nc or lava-dl is not installed.
        UsageError: there is no frame.
        LavaRunError: a process model raised.
    """
    time_steps, samples = frames.shape[:2]
    if not time_steps or not samples:
        raise UsageError("there is no frame to run.", where=str(file.path), fix="Give frames.")
    import_lava()
    from lava.lib.dl.netx import hdf5

    from spikeport.targets.lava.network import Network
    from spikeport.targets.lava.processes.sink import Sink
    from spikeport.targets.lava.processes.source import Source
    from spikeport.targets.lava.pump import pump

    net = hdf5.Network(**file.arguments(time_steps))
    # It never closes the file, and would stand in the way of writing it anew.
    net.net_config.f.close()
    stream = frames.transpose(0, 1).flatten(0, 1).cpu().numpy().astype(np.int32)
    source = Source(name="input", frames=stream)
    _connect(source.s_out, net.inp)
    run = Network(samples, time_steps, samples * time_steps + file.latency, [source])
    for number, (name, layer) in enumerate(zip(file.layers, net.layers, strict=True), start=1):
        sink = Sink(
            name=f"{name}.sink",
            shape=_feature(layer.shape),
            first=number + 1,  # Lava counts steps from one.
            count=samples * time_steps,
            path=None,
        )
        _connect(layer.neuron.s_out, sink.s_in)
        run.sinks[name] = sink
        run.processes += [layer.synapse, layer.neuron, sink]
    kept = pump(run, conv_model)
    return {name: torch.from_numpy(value.astype(bool)) for name, value in kept.items()}


def _connect(source: Any, target: Any) -> None:
    if tuple(source.shape) != tuple(target.shape):
        source = source.reshape(tuple(target.shape))
    source.connect(target)


def _feature(shape: Sequence[int]) -> tuple[int, ...]:
    """From Lava's axes (W, H, C) to the graph's."""
    return tuple(int(size) for size in shape)[::-1]
