"""A NIR file run by SpikingJelly, through its own importer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from time import monotonic

import nir
import torch
from torch import Tensor, nn

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    AvgPool,
    Conv,
    Input,
    Linear,
    MeanTime,
    Neuron,
    OverTime,
    RepeatTime,
    Reshape,
    SumTime,
)
from spikeport.targets.lowered import Run
from spikeport.targets.nir.mark import Mark

NAME = "spikingjelly"

_IMPORTED = (IF, LIF, Add, AvgPool, Conv, Input, Linear, MeanTime, RepeatTime, Reshape, SumTime)


def objections(graph: Graph, mark: Mark) -> Iterator[str]:
    """Why SpikingJelly's importer does not take a file, or would not mean what it says.

    Args:
        graph: as read from the file.
    """
    for node in graph:
        if not isinstance(node.op, _IMPORTED):
            yield f"{node.name}: it does not import {node.op.kind}"
        if isinstance(node.op, LIF) and not node.op.tau > 1:
            yield f"{node.name}: its time constants are longer than a step"
    if mark.fires == "above":
        yield "its neurons fire at their threshold"
    (last,) = graph.outputs
    if isinstance(_before_readout(graph, graph[last]).op, Add):
        yield "it does not add what meets at the output"
    names = [node_name(node.name) for node in graph]
    if len(set(names)) < len(names):
        yield "names of nodes are the same once dots are underscores"


def _before_readout(graph: Graph, node: Node) -> Node:
    return graph[node.inputs[0]] if isinstance(node.op, OverTime) else node


def node_name(name: str) -> str:
    """As NIRTorch calls a node."""
    return name.replace(".", "_")


def run_spikingjelly(
    content: bytes, graph: Graph, mark: Mark, frames: Tensor, *, spikes: bool
) -> Run:
    """Run a file on frames, or on images as the graph takes them, in float64."""
    from spikingjelly.activation_based import nir_exchange

    network = nir.read(io.BytesIO(content))
    model = nir_exchange.import_from_nir(network, dt=mark.dt, dtype=torch.float64, step_mode="s")
    kept: dict[str, list[Tensor]] = {}
    for node in graph if spikes else ():
        if isinstance(node.op, Neuron):
            kept[node.name] = []
            module = model.get_submodule(node_name(node.name))
            module.register_forward_hook(_keeper(kept[node.name]))
    if mark.image_steps is not None:
        frames = frames.unsqueeze(0).expand(mark.image_steps, *frames.shape)
    started = monotonic()
    outputs, state = [], None
    with torch.no_grad():
        for frame in frames.double():
            output, state = model(frame, state)
            outputs.append(output)
    result = torch.stack(outputs)
    over = graph[graph.outputs[0]].op
    return Run(
        over.over(result) if isinstance(over, OverTime) else result,
        {name: torch.stack(steps).bool() for name, steps in kept.items()},
        NAME,
        monotonic() - started,
    )


def _keeper(kept: list[Tensor]) -> Callable[[nn.Module, object, tuple[Tensor, object]], None]:
    def keep(module: nn.Module, given: object, result: tuple[Tensor, object]) -> None:
        kept.append(result[0])

    return keep
