"""The fast float network, one time step at a time."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, Delay, Neuron, NeuronState, Op, OverTime
from spikeport.convert.passes import fold_batch_norm
from spikeport.convert.streaming import check_frame, check_step, require_streamable
from spikeport.targets.reference.kernels import Extent
from spikeport.targets.reference.loop import Loop, Memory
from spikeport.targets.reference.plan import Plan, Step, make_plan
from spikeport.targets.reference.setting import Layout, Setting, make_setting


class ReferenceStepExecutor:
    """`ReferenceExecutor` frame by frame: its plan and kernels, with states between the calls.

    What has a state is computed by the equation of its op; see `StepExecutor`.

    Args:
        graph: as traced; batch norms are folded if they are not yet.
        dtype: "float64", "float32", "bfloat16" or "float16", or PyTorch's own.
        device: "cpu", "cuda" or "cuda:N".
        layout: of feature maps; channels last if not given, but for float64.

    Raises:
        UnsupportedError: the graph cannot be streamed, or has an op that nothing computes.
        UsageError, UnknownNameError: there is no such device, number format or layout.
    """

    def __init__(
        self,
        graph: Graph,
        dtype: torch.dtype | str = torch.float32,
        device: torch.device | str = "cpu",
        *,
        layout: Layout | None = None,
    ) -> None:
        require_streamable(graph)
        self._graph = fold_batch_norm(graph)
        self._setting = make_setting(dtype, device, layout)
        self._plan = make_plan(self._graph, self._setting)
        self._ops = _with_state(self._plan, self._setting)
        self.reset()

    @property
    def graph(self) -> Graph:
        return self._graph

    def reset(self) -> None:
        self._taken = 0
        self._states: dict[str, NeuronState] = {}
        self._sums: dict[str, Tensor] = {}
        self._before: dict[str, Tensor] = {}
        self._memories: dict[str, Memory] = {}

    @torch.no_grad()
    def step(self, frame: Tensor, tap: Tap | None = None) -> Tensor:
        check_frame(self._graph, tuple(frame.shape))
        check_step(self._graph, self._taken)
        entry, extent = self._graph.input, Extent(1, len(frame))
        values: dict[str, Tensor] = {}
        frame = frame.to(self._setting.device, self._setting.dtype)
        self._keep(entry, frame, values, tap)
        for step in self._plan.steps:
            for node, value in self._work(step, values, extent).items():
                self._keep(self._graph[node], value, values, tap)
            self._show_fused(step, values, extent, tap)
            for name in step.frees:
                values.pop(name, None)
        self._taken += 1
        return values[self._plan.value[self._graph.outputs[0]]].contiguous()

    def _keep(self, node: Node, value: Tensor, values: dict[str, Tensor], tap: Tap | None) -> None:
        values[node.name] = value
        for each in self._plan.shows[node.name] if tap is not None else ():
            tap(each, value.unsqueeze(0) if each.per_step else value)  # type: ignore[misc]

    def _show_fused(
        self, step: Step, values: dict[str, Tensor], extent: Extent, tap: Tap | None
    ) -> None:
        """Show a node that is part of another one."""
        if step.beside is None or tap is None:
            return
        node, kernel, read = step.beside
        value = kernel([values[read]], extent, None)
        for each in self._plan.shows[node.name]:
            tap(each, value.unsqueeze(0) if each.per_step else value)

    def _work(self, step: Step, values: dict[str, Tensor], extent: Extent) -> Mapping[str, Tensor]:
        if isinstance(step.kernel, Loop):
            return self._loop(step, step.kernel, values, extent)
        (node,) = step.makes
        inputs = [values[name] for name in step.reads]
        op = self._ops.get(node.name)
        if op is None:
            return {node.name: step.kernel(inputs, extent, step.spare)}
        return {node.name: self._with_state(node, op, inputs[0])}

    def _with_state(self, node: Node, op: Op, x: Tensor) -> Tensor:
        """A value in memory of its own: later kernels may write over it, never over a state."""
        if isinstance(op, Neuron):
            current = x.to(self._setting.real)
            state = self._states.get(node.name) or op.initial(current)
            self._states[node.name], spikes = op.step(state, current)
            return spikes.to(self._setting.dtype)
        if isinstance(op, OverTime):
            before, now = self._sums.get(node.name), x.to(self._setting.real)
            self._sums[node.name] = now.clone() if before is None else before + now
            return op.read(self._sums[node.name], self._taken + 1).clone()
        if isinstance(op, AddPerStep):
            return op.at(self._taken, x.to(self._setting.dtype))
        shown = self._before.get(node.name)
        self._before[node.name] = x.clone()
        return torch.zeros_like(x) if shown is None else shown

    def _loop(
        self, step: Step, loop: Loop, values: dict[str, Tensor], extent: Extent
    ) -> Mapping[str, Tensor]:
        outside = {
            name: (values[read], read in self._plan.stepped)
            for name, read in zip(loop.reads, step.reads, strict=True)
        }
        memory = self._memories.setdefault(loop.group[0].name, Memory())
        return loop(outside, extent, {node.name for node in loop.group}, memory)


def _with_state(plan: Plan, setting: Setting) -> dict[str, Op]:
    """By node, the ops that something is kept for between steps."""
    kept: dict[str, Op] = {}
    for step in plan.steps:
        op = step.makes[0].op
        if isinstance(step.kernel, Loop):
            continue
        if isinstance(op, Neuron):
            kept[step.makes[0].name] = op.cast(setting.real, setting.device)
        elif isinstance(op, AddPerStep | Delay | OverTime):
            kept[step.makes[0].name] = op.cast(setting.dtype, setting.device)
    return kept
