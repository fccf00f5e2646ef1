"""Writing `.net` files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeport.convert.check import raise_errors
from spikeport.convert.graph import Graph
from spikeport.core.errors import UsageError
from spikeport.targets.lava.artefact import LavaArtefact
from spikeport.targets.lava.frames import graph_entry
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.netx.chain import links
from spikeport.targets.lava.netx.check import check_net
from spikeport.targets.lava.netx.write import write_net


@dataclass(frozen=True)
class NetFile:
    """A file that was written, and what its reader must know besides.

    Attributes:
        layers: names of its neurons, in order. Layer i answers i + 1 steps after the input.
        input_message_bits: 0 for spikes; more where pixels hold counts.
    """

    path: Path
    layers: tuple[str, ...]
    input_message_bits: int

    @property
    def latency(self) -> int:
        """Steps from the input to the last spikes."""
        return len(self.layers)

    def arguments(self, time_steps: int) -> dict[str, Any]:
        """For `lava.lib.dl.netx.hdf5.Network`, with samples of T steps streamed back to back.

        The offset of 1 makes the first layer forget when the first frame reaches it.
        """
        return {
            "net_config": str(self.path),
            "reset_interval": time_steps,
            "reset_offset": 1,
            "input_message_bits": self.input_message_bits,
        }


def save_net(
    source: LavaArtefact | Graph, path: str | os.PathLike[str], *, spikes_only: bool = False
) -> NetFile:
    """Write a sequential network of whole numbers to a `.net` file (HDF5), atomically.

    The schema is that of lava-dl 0.6.0 (`lava/lib/dl/netx/hdf5.py`): input, conv, flatten, dense,
    each synapse with a CUBA neuron. netx runs it on Lava with the spikes of the integer executor.

    Args:
        source: what `lower` made; biases in whole currents (`with_whole_biases`).
        spikes_only: leave out what stands behind the last neuron.

    Raises:
        UsageError: the path does not end in `.net`, or the graph has not been lowered.
        UnsupportedError: netx cannot express a node, or would drop it; names its module.
        MissingPackageError: h5py is not installed.
        FileError: the file cannot be written.
    """
    graph = source if isinstance(source, Graph) else source.graph
    lava_metadata(graph)
    target = Path(path)
    if target.suffix != ".net":
        raise UsageError(
            "netx files end in .net.", where=str(path), fix=f"Name it {target.stem}.net."
        )
    raise_errors(check_net(graph, spikes_only=spikes_only))
    chain = links(graph)
    write_net(graph.input.shape, chain, target)
    largest = graph_entry(graph).high
    bits = 0 if largest <= 1 else largest.bit_length() + 1
    return NetFile(target, tuple(link.neuron.name for link in chain), bits)
