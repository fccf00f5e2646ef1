"""The fast float executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from spikeport.convert.executor import Tap, wants
from spikeport.convert.frames import check_frames
from spikeport.convert.graph import Graph, Node
from spikeport.core.errors import UnsupportedError
from spikeport.targets.reference.kernels import Extent
from spikeport.targets.reference.kernels.base import by_steps, spread
from spikeport.targets.reference.loop import Loop
from spikeport.targets.reference.plan import Step, make_plan
from spikeport.targets.reference.setting import Layout, make_setting


class ReferenceExecutor:
    """Runs a graph layer by layer, each over all time steps at once, by the fastest means here.

    Spikes are those of `Interpreter`: all of them in float64, in float32 but for sums that meet a
    threshold within rounding (see `flips`). What sees the same picture at each step is computed
    once, and what two branches compute alike too; a sum with a convolution is part of it; spikes
    take the place of currents that nothing reads any more; feature maps lie channels last.

    Args:
        dtype: float64 for proofs, float32, bfloat16 or float16 for speed; a name will do. In the
            last two, membranes stay in float32, as does what exists once per sample.
        device: "cpu", "cuda" or "cuda:N".
        layout: of feature maps; channels last if not given, but for float64.

    Raises:
        UnsupportedError: the graph has several outputs, or an op that nothing computes.
        UsageError: there is no such device.
        UnknownNameError: there is no such number format or layout.
    """

    def __init__(
        self,
        graph: Graph,
        dtype: torch.dtype | str = torch.float32,
        device: torch.device | str = "cpu",
        *,
        layout: Layout | None = None,
    ) -> None:
        if len(graph.outputs) != 1:
            raise UnsupportedError(f"a graph with {len(graph.outputs)} outputs cannot be run.")
        self._graph = graph
        self._setting = make_setting(dtype, device, layout)
        self._plan = make_plan(graph, self._setting)

    def __reduce__(self) -> tuple[object, ...]:
        # What computes it is chosen anew in each process, by what that machine has.
        made = partial(type(self), layout=self.layout)
        return made, (self._graph, self.dtype, self.device)

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def dtype(self) -> torch.dtype:
        return self._setting.dtype

    @property
    def device(self) -> torch.device:
        return self._setting.device

    @property
    def layout(self) -> Layout:
        return self._setting.layout

    @property
    def kernels(self) -> Mapping[str, str]:
        """What computes each node, by name."""
        shared = {
            node.name: f"as {name}" if node.name != name else ""
            for name, nodes in self._plan.shows.items()
            for node in nodes
        }
        own: dict[str, str] = {}
        for step in self._plan.steps:
            own |= {node.name: step.kernel.name for node in step.makes}
            if step.beside is not None:
                own[step.beside[0].name] = f"part of {step.makes[0].name}"
        return {node.name: shared[node.name] or own.get(node.name, "given") for node in self._graph}

    @torch.no_grad()
    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`. A tap changes no value.

        Raises:
            UsageError: the frames do not have the shape that the graph was traced for.
        """
        check_frames(self._graph, frames, self.dtype)
        entry = self._graph.input
        steps, batch = frames.shape[:2] if entry.per_step else (1, len(frames))
        frames = frames.to(self.device, self._setting.dtype_of(entry.per_step))
        run = _Run(self, Extent(steps, batch), tap)
        run.keep(entry, frames.flatten(0, 1) if entry.per_step else frames)
        for step in self._plan.steps:
            run.work(step)
        (output,) = self._graph.outputs
        return run.shown(self._graph[output]).contiguous()


class _Run:
    """One run: the values that are still needed."""

    def __init__(self, executor: ReferenceExecutor, extent: Extent, tap: Tap | None) -> None:
        self._plan, self._extent, self._tap = executor._plan, extent, tap
        self._outputs = executor.graph.outputs
        self._values: dict[str, Tensor] = {}
        self._needed = {name for step in self._plan.steps for name in step.reads}
        self._needed |= {self._plan.value[name] for name in self._outputs}

    def keep(self, node: Node, value: Tensor) -> None:
        """Take a value, and show it as that of every node that it belongs to."""
        self._values[node.name] = value
        self._show(self._plan.shows[node.name])

    def shown(self, node: Node, value: Tensor | None = None) -> Tensor:
        """A value as the graph has it: `[T, B, *shape]` or `[B, *shape]`."""
        name = self._plan.value[node.name]
        value = self._values[name] if value is None else value
        if not node.per_step:
            return value
        extent = self._extent_of(self._plan.fixed[node.name])
        return by_steps(value, extent) if name in self._plan.stepped else spread(value, extent)

    def _show(self, nodes: Sequence[Node], value: Tensor | None = None) -> None:
        for each in nodes:
            if self._tap is not None and wants(self._tap, each):
                self._tap(each, self.shown(each, value))

    def work(self, step: Step) -> None:
        extent = self._extent_of(step.steps)
        if isinstance(step.kernel, Loop):
            self._loop(step, step.kernel, extent)
        else:
            inputs = [self._values[name] for name in step.reads]
            if step.beside is not None:
                node, kernel, read = step.beside
                beside = self._plan.shows[node.name]
                if any(wants(self._tap, each) for each in beside):
                    self._show(beside, kernel([self._values[read]], extent, None))
            self.keep(step.makes[0], step.kernel(inputs, extent, step.spare))
        for name in step.frees:
            self._values.pop(name, None)

    def _loop(self, step: Step, loop: Loop, extent: Extent) -> None:
        outside = {
            name: (self._values[read], read in self._plan.stepped)
            for name, read in zip(loop.reads, step.reads, strict=True)
        }
        nodes = {node.name for node in loop.group}
        made = loop(outside, extent, nodes if self._tap is not None else nodes & self._needed)
        for node in loop.group:
            if node.name in made:
                self.keep(node, made[node.name])

    def _extent_of(self, steps: int | None) -> Extent:
        return self._extent if steps is None else Extent(steps, self._extent.batch)
