"""The network that is fine-tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import Conv, Input, Linear, Neuron, Op, RepeatTime, Stateless
from spikeport.targets.lava.entry import Entry, declared
from spikeport.targets.lava.frames import stepped_frames
from spikeport.targets.lava.gradients import apply_steps, exactly, run_host, trainable_host
from spikeport.targets.lava.host import host_part, lava_part
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.qat.current import Current, current
from spikeport.targets.lava.qat.neuron import spikes_of
from spikeport.targets.lava.quantise import LoweringOptions
from spikeport.targets.lava.quantise.plan import plan
from spikeport.targets.lava.region import on_lava

if TYPE_CHECKING:
    from spikeport.targets.lava.artefact import LavaArtefact


class QatNetwork(nn.Module):
    """Float weights, integer forward; made by `to_qat`.

    Each forward lowers the weights of that moment at fixed exponents, so that its spikes are those
    of the integer executor on `lowered()`. Gradients pass rounding straight through and spikes by
    the derivative of a sigmoid.

    Attributes:
        parameters_of: weights and biases of every layer by `node/field`, "." replaced by "/".
        exponents: of each stream, fixed.
    """

    def __init__(
        self,
        graph: Graph,
        calibration: Tensor | None,
        options: LoweringOptions,
        entry: Entry,
        like: Graph,
        slope: float,
    ) -> None:
        """Internal; use `to_qat`.

        Args:
            graph: float, batch norms folded.
            like: what `lower` made of it: gives exponents and how frames are read.
        """
        super().__init__()
        self._graph, self._calibration, self._options = graph, calibration, options
        self._like, self._entry, self.slope = like, entry, slope
        self.exponents: Mapping[str, int] = dict(like.metadata["lava"]["streams"])
        self._region = on_lava(declared(graph))
        self._planned = plan(declared(graph), self._region, options, entry)
        trainable_host(host_part(like))
        self.parameters_of = nn.ParameterDict()
        for node in graph:
            if isinstance(node.op, Conv | Linear):
                for field, value in node.op.tensors().items():
                    held = value.detach().clone()
                    self.parameters_of[_key(node.name, field)] = nn.Parameter(held)

    def forward(self, frames: Tensor) -> Tensor:
        """Outputs of the graph in float64, `[B, *shape]` or `[T, B, *shape]`.

        Args:
            frames: `[T, B, C, H, W]` as the graph takes them (`[B, C, H, W]` if it repeats images).

        Raises:
            UsageError: the frames do not suit the graph.
        """
        last = self._values(frames, {})
        return run_host(host_part(self._like), last, self._host_op, torch.float64)

    def spikes(self, frames: Tensor) -> dict[str, Tensor]:
        """Spikes 0/1 `[T, B, *feature]` by neuron node in graph order, with gradients.

        Raises:
            UsageError: the frames do not suit the graph.
        """
        kept: dict[str, Tensor] = {}
        self._values(frames, kept)
        return kept

    def graph(self) -> Graph:
        """The float graph with the weights of this moment; a certificate of others is left out."""
        ops = {name: _copied(op) for name, op in self._ops().items()}
        result = rebuilt(self._graph, ops)
        result.metadata.pop("certificate", None)
        return result

    def lowered(self) -> LavaArtefact:
        """The integer network of this moment, at the exponents that it was trained for.

        Raises:
            UnsupportedError: the weights have outgrown the head-room of these exponents; `lower`
                on `graph()` chooses others.
        """
        from spikeport.targets.lava.artefact import lower

        return lower(
            self.graph(), self._calibration, options=self._options, exponents=self.exponents
        )

    def _ops(self) -> dict[str, Op]:
        ops: dict[str, Op] = {}
        for node in self._graph:
            if isinstance(node.op, Conv | Linear):
                fields = node.op.tensors()
                held = {field: self.parameters_of[_key(node.name, field)] for field in fields}
                ops[node.name] = replace(node.op, **held)
        return ops

    def _host_op(self, node: Node) -> Op:
        return self._ops().get(node.name, node.op).cast(torch.float64)

    def _values(self, frames: Tensor, kept: dict[str, Tensor]) -> Tensor:
        """Values of the last node on Lava; fills in the spikes."""
        graph = declared(rebuilt(self._graph, self._ops()))
        now = current(graph, self._planned, self._region, self.exponents, self._entry)
        part, dtype = lava_part(now.whole), torch.float32 if now.single else torch.float64
        known: dict[str, Tensor] = {}
        for node in part:
            sources = [known[name] for name in node.inputs]
            if isinstance(node.op, Input):
                known[node.name] = stepped_frames(self._like, frames).to(dtype)
            elif isinstance(node.op, RepeatTime):
                known[node.name] = sources[0]
            elif isinstance(node.op, Neuron):
                op = cast(LavaLIF, node.op.cast(dtype))
                bias = now.biases.get(node.name)
                smooth = None if bias is None else bias.to(dtype)
                known[node.name] = kept[node.name] = spikes_of(op, sources[0], smooth, self.slope)
            else:
                known[node.name] = apply_steps(_trained(node, now, dtype), *sources)
        return known[part.outputs[0]]


def _trained(node: Node, now: Current, dtype: torch.dtype) -> Stateless:
    """The op, whose weight passes gradients on to what it was rounded from."""
    op = cast(Stateless, node.op.cast(dtype))
    if not isinstance(op, Conv | Linear):
        return op
    smooth = now.weights[node.name.removesuffix(".sums")]
    return replace(op, weight=exactly(smooth.to(dtype), op.weight))


def _key(name: str, field: str) -> str:
    return f"{name}/{field}".replace(".", "/")


def _copied(op: Op) -> Op:
    return replace(op, **{name: value.detach().clone() for name, value in op.tensors().items()})
