"""A feedback loop: its nodes take one time step after the other, together."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, Delay, Neuron, NeuronState
from spikeport.convert.schedule import Group
from spikeport.core.errors import UnsupportedError
from spikeport.targets.reference.kernels import Extent, Kernel, Place, kernel_for
from spikeport.targets.reference.kernels.time import check_steps
from spikeport.targets.reference.setting import Setting


@dataclass
class Memory:
    """What a loop hands on from step to step.

    Attributes:
        step: number of steps taken from rest.
        before: values of the step before.
    """

    step: int = 0
    states: dict[str, NeuronState] = field(default_factory=dict)
    before: dict[str, Tensor] = field(default_factory=dict)


class Loop:
    """Computes all nodes of a loop over all time steps.

    Attributes:
        reads: the nodes outside that it reads.
    """

    name = "step by step"

    def __init__(self, graph: Graph, group: Group, setting: Setting) -> None:
        self.group, self._setting = group, setting
        inside = {node.name for node in group}
        self.reads = tuple(
            dict.fromkeys(name for node in group for name in node.inputs if name not in inside)
        )
        if not any(graph[name].per_step for name in self.reads):
            raise UnsupportedError(
                "nothing with a time axis enters this feedback loop.",
                where=group[0].path or group[0].name,
                fix="Repeat the input over the time steps before it.",
            )
        self._kernels: dict[str, Kernel] = {}
        self._neurons: dict[str, Neuron] = {}
        self._embeddings: dict[str, AddPerStep] = {}
        for node in group:
            if isinstance(node.op, Neuron):
                self._neurons[node.name] = node.op.cast(setting.real, setting.device)
            elif isinstance(node.op, AddPerStep):
                self._embeddings[node.name] = node.op.cast(setting.dtype, setting.device)
            elif not isinstance(node.op, Delay):
                alike = (True,) * len(node.inputs)
                self._kernels[node.name] = kernel_for(Place(node, True, alike), setting)

    def __call__(
        self,
        outside: Mapping[str, tuple[Tensor, bool]],
        extent: Extent,
        wanted: Container[str],
        memory: Memory | None = None,
    ) -> dict[str, Tensor]:
        """The values `[T * B, *shape]` of those nodes that are wanted.

        Args:
            outside: each value that the loop reads, and whether it is there for each step.
            memory: to go on from, and to leave for the next call; from rest if not given.
        """
        for node in self.group if memory is None else ():
            if node.name in self._embeddings:
                check_steps(node, self._embeddings[node.name].steps, extent.steps)
        kept: dict[str, list[Tensor]] = {n.name: [] for n in self.group if n.name in wanted}
        memory = memory or Memory()
        for step in range(extent.steps):
            rows = slice(step * extent.batch, (step + 1) * extent.batch)
            now = {name: x[rows] if each else x for name, (x, each) in outside.items()}
            for node in self.group:
                now[node.name] = self._value(node, now, memory, extent.batch)
                if node.name in kept:
                    kept[node.name].append(now[node.name])
            memory.before, memory.step = now, memory.step + 1
        # Joined along the batch, feature maps stay as they lie in memory.
        return {name: torch.cat(values) for name, values in kept.items()}

    def _value(
        self,
        node: Node,
        now: dict[str, Tensor],
        memory: Memory,
        batch: int,
    ) -> Tensor:
        dtype, device = self._setting.dtype, self._setting.device
        if isinstance(node.op, Delay):
            if node.op.source in memory.before:
                return memory.before[node.op.source]
            return torch.zeros((batch, *node.shape), dtype=dtype, device=device)
        inputs = [now[name] for name in node.inputs]
        if node.name in self._neurons:
            op, current = self._neurons[node.name], inputs[0].to(self._setting.real)
            state = memory.states.get(node.name) or op.initial(current)
            memory.states[node.name], spikes = op.step(state, current)
            return spikes.to(dtype)
        if node.name in self._embeddings:
            return self._embeddings[node.name].at(memory.step, inputs[0].to(dtype))
        return self._kernels[node.name](inputs, Extent(1, batch), None)
