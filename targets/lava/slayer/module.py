"""An integer network as an `nn.Module` of slayer's synapses and neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from spikeport.convert.check import raise_errors
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Input, Linear, Neuron, Op, RepeatTime, Stateless
from spikeport.targets.lava.frames import stepped_frames
from spikeport.targets.lava.gradients import apply_steps, run_host
from spikeport.targets.lava.host import host_part, lava_part
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.slayer.check import check_slayer
from spikeport.targets.lava.slayer.library import Slayer, import_slayer
from spikeport.targets.lava.slayer.scales import value_exponents

if TYPE_CHECKING:
    from spikeport.targets.lava.artefact import LavaArtefact


class SlayerNetwork(nn.Module):
    """Made by `to_slayer`: synapses `lava.lib.dl.slayer.synapse`, neurons `slayer.neuron.cuba`.

    All weights and biases are parameters, those of the classifier behind the last neuron too.
    Gradients pass spikes by slayer's surrogate and roundings straight through.
    """

    def __init__(self, graph: Graph, slayer: Slayer, tau_grad: float, scale_grad: float) -> None:
        super().__init__()
        self.graph = graph
        self._lava, self._host = lava_part(graph), host_part(graph)
        self._exponents = value_exponents(graph)
        self._places: dict[str, int] = {}
        self.layers = nn.ModuleList()
        for node in self._lava:
            layer = self._layer(node, slayer, tau_grad, scale_grad)
            if layer is not None:
                self._places[node.name] = len(self.layers)
                self.layers.append(layer)
        self.classifier = nn.ParameterDict()
        for node in self._host:
            if node.inputs:
                for field, value in node.op.tensors().items():
                    key = f"{node.name}/{field}".replace(".", "/")
                    self.classifier[key] = nn.Parameter(value.float(), value.is_floating_point())
        # Float64 where float32 is not proven to hold every sum.
        self.to(torch.float32 if lava_metadata(graph).get("float32_exact") else torch.float64)

    def forward(self, frames: Tensor) -> Tensor:
        """Outputs of the graph, `[B, *shape]` or `[T, B, *shape]`.

        Args:
            frames: `[T, B, C, H, W]` as the graph takes them (`[B, C, H, W]` if it repeats images).

        Raises:
            UsageError: the frames do not suit the graph.
            CheckFailed: a current or membrane leaves the range in which slayer equals Lava.
        """
        last = self.values(frames, {})
        return run_host(self._host, last, self._host_op, last.dtype)

    def spikes(self, frames: Tensor) -> dict[str, Tensor]:
        """Spikes 0/1 `[T, B, *feature]` by neuron node in graph order, with gradients.

        Raises:
            as `forward`.
        """
        kept: dict[str, Tensor] = {}
        self.values(frames, kept)
        return kept

    def values(self, frames: Tensor, kept: dict[str, Tensor]) -> Tensor:
        """Values of the last node on Lava; fills in the spikes."""
        dtype = next(self.parameters()).dtype
        known: dict[str, Tensor] = {}
        for node in self._lava:
            sources = [known[name] for name in node.inputs]
            if isinstance(node.op, Input):
                known[node.name] = stepped_frames(self.graph, frames).to(dtype)
            elif isinstance(node.op, RepeatTime):
                known[node.name] = sources[0]
            elif node.name in self._places:
                known[node.name] = self.layers[self._places[node.name]](*sources)
            else:
                known[node.name] = self._between(node, sources)
            if isinstance(node.op, Neuron):
                kept[node.name] = known[node.name]
        name = self._lava.outputs[0]
        return known[name] * 2.0 ** self._exponents[name]

    def _between(self, node: Node, sources: list[Tensor]) -> Tensor:
        """What PyTorch computes between layers, in whole numbers."""
        whole = [
            x * 2.0 ** self._exponents[name] for x, name in zip(sources, node.inputs, strict=True)
        ]
        result = apply_steps(cast(Stateless, node.op), *whole)
        return result * 2.0 ** -self._exponents[node.name]

    def _layer(
        self, node: Node, slayer: Slayer, tau_grad: float, scale_grad: float
    ) -> nn.Module | None:
        from spikeport.targets.lava.slayer.layers import ConvSynapse, CubaNeuron, DenseSynapse

        if not node.inputs:
            return None
        reads = self._exponents[node.inputs[0]]
        scale = 2.0 ** (reads - self._exponents[node.name])
        if isinstance(node.op, Conv):
            return ConvSynapse(slayer, node.op, scale)
        if isinstance(node.op, Linear):
            return DenseSynapse(slayer, node.op, scale)
        if isinstance(node.op, Neuron):
            return CubaNeuron(slayer, node, reads, tau_grad, scale_grad)
        return None

    def _host_op(self, node: Node) -> Op:
        from dataclasses import replace

        names = node.op.tensors()
        held = {field: f"{node.name}/{field}".replace(".", "/") for field in names}
        return replace(node.op, **{field: self.classifier[key] for field, key in held.items()})


def to_slayer(
    source: LavaArtefact | Graph, *, tau_grad: float = 0.01, scale_grad: float = 10.0
) -> SlayerNetwork:
    """A lowered network as a trainable module of lava-dl's slayer, on the CPU.

    Equal to the integer executor for every neuron, step and sample, within the range of Lava's
    numbers: what leaves it is refused while it runs. Slayer's CUDA kernel fires at the threshold
    too and is no reference.

    Args:
        source: what `lower` made, or its graph.
        tau_grad, scale_grad: width and height of slayer's surrogate, which multiplies the first by
            100 and the second by 0.1: with these values the gradient is 0.5 / threshold at the
            threshold and falls by e within one threshold.

    Raises:
        UsageError: the graph has not been lowered to Lava.
        UnsupportedError: slayer cannot express a node; names its module.
        MissingPackageError: lava-dl is not installed.
    """
    graph = source if isinstance(source, Graph) else source.graph
    lava_metadata(graph)
    raise_errors(check_slayer(graph))
    return SlayerNetwork(graph, import_slayer(), tau_grad, scale_grad)
