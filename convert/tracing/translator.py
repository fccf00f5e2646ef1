"""Walks an exported program and builds the graph, op by op."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import Delay, Input, Op, Permute, RepeatTime, Reshape
from spikeport.convert.ops.base import Stateful
from spikeport.convert.tracing.axes import Atom, Axes, Axis, AxisError, Roles, axis_of, sizes
from spikeport.convert.tracing.feedback import settle_domains
from spikeport.convert.tracing.modes import is_inside
from spikeport.convert.tracing.reader import Reader, is_alone, is_in_place, repeat_name
from spikeport.core.errors import SpikeportError, UnsupportedError
from spikeport.core.registry import Registry


@dataclass(frozen=True)
class Value:
    """A tensor of the model: the node that writes it and what its axes are made of."""

    node: str
    axes: Axes


Handler = Callable[["Translator", fx.Node], Value]
HANDLERS: Registry[Handler] = Registry("aten op")


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Decorator: the function translates these ops (`aten.conv2d.default`)."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS.add(name, handler)
        return handler

    return register


class Translator(Reader):
    """One walk over an exported program under given roles of the axes.

    Args:
        neurons: the op of each neuron by module path; an error in place of one that cannot be
            carried, raised if that neuron turns out to run.
        roles: which atoms are time and batch; without time, the program is one time step of the
            model, shown the same image `steps` times or, without `steps`, a frame per step.
        open_axes: number of leading axes of the input that may be time or batch.
    """

    def __init__(
        self,
        program: ExportedProgram,
        neurons: Mapping[str, Stateful | SpikeportError],
        roles: Roles,
        domain: Domain,
        open_axes: int,
        *,
        steps: int | None = None,
    ) -> None:
        super().__init__(program)
        self.graph = Graph()
        self.roles = roles
        self.neurons = neurons
        self.neurons_seen: set[str] = set()
        self.loops_seen: set[str] = set()
        self.progress = 0
        """How many ops were carried; tells which of several refusals is to the point.

        Negative if the first neuron contradicts the roles.
        """
        self._domain, self._open_axes, self._steps = domain, open_axes, steps
        self.steps_prime: int | None = None
        """What stands for T in shapes, if it is open."""
        self._values: dict[fx.Node, Value] = {}
        self._delays: dict[str, str] = {}  # by module path of the time loop
        self._closed: dict[str, Op] = {}

    def is_number_of_steps(self, argument: Any) -> bool:
        """Whether an argument is the size of the time axis, read from a shape."""
        if not isinstance(argument, fx.Node) or self.roles.time is None:
            return False
        size = argument.meta.get("val")
        return isinstance(size, torch.SymInt) and self.size(size) == self.steps_prime

    def value(self, argument: Any) -> Value:
        if argument not in self._values:
            raise AxisError(f"argument {argument} is not computed from the input")
        return self._values[argument]

    # -- building the graph ---------------------------------------------------------------------

    def emit(self, op: Op, inputs: Sequence[Value], axes: Axes, at: fx.Node) -> Value:
        """Add a node; its shape must be that of the axes' features."""
        path = self.path_of(at)
        name = self._name(path, op.kind)
        node = self.graph.add(name, op, [value.node for value in inputs], path=path)
        if node.shape != self.roles.feature_shape(axes):
            raise AxisError(f"{op.kind} gives {node.shape}, the model {sizes(axes)}")
        return Value(name, axes)

    def _name(self, path: str, kind: str) -> str:
        base = path or kind
        if base not in self.graph:
            return base
        base = f"{path}.{kind}" if path else kind
        name, number = base, 2
        while name in self.graph:
            name, number = f"{base}_{number}", number + 1
        return name

    def view(self, value: Value, axes: Axes, at: fx.Node) -> Value:
        """The value under regrouped axes: a reshape, if the feature axes change at all."""
        shape = self.roles.feature_shape(axes)
        if shape == self.graph[value.node].shape:
            return Value(value.node, axes)
        return self.emit(Reshape(shape), [value], axes, at)

    def permute(self, value: Value, order: Sequence[int], at: fx.Node) -> Value:
        """The value with its tensor axes reordered: a permute, if feature axes change places."""
        axes = tuple(value.axes[axis] for axis in order)
        features = [
            self.roles.feature_axes((axis,)) != () for axis in value.axes
        ]  # which tensor axes the graph sees
        position = {dim: sum(features[:dim]) for dim in range(len(features))}
        feature_order = tuple(position[dim] for dim in order if features[dim])
        if feature_order == tuple(range(len(feature_order))):
            return Value(value.node, axes)
        return self.emit(Permute(feature_order), [value], axes, at)

    def repeat_atom(self, at: fx.Node, axis: int, times: int) -> Atom:
        """A named atom for an axis that a repeat makes: it may turn out to be time.

        Raises:
            AxisError: the number of repeats depends on the input's size.
        """
        if self.is_open(times):
            raise AxisError("it repeats as often as the input is long")
        return Atom(times, repeat_name(at, axis))

    def in_loop(self, path: str) -> bool:
        """Whether a module belongs to the body of a time loop."""
        return is_inside(path, self.loops_seen)

    def open_feedback(self, path: str, axes: Axes) -> Value:
        """A delay in a time loop whose source is not known yet."""
        name = self._name(path, "delay")
        shape = self.roles.feature_shape(axes)
        self.graph.add(name, Delay(name, shape, Domain.REAL), path=path)
        self._delays[path] = name
        return Value(name, axes)

    def close_feedback(self, path: str, source: Value) -> None:
        """Tell a delay what it shows; a loop that reads no feedback has none.

        Raises:
            AxisError: that has another shape.
        """
        if path not in self._delays:
            return
        delay, shown = self.graph[self._delays[path]], self.graph[source.node]
        if delay.shape != shown.shape:
            raise AxisError(f"its feedback is {delay.shape}, its step returns {shown.shape}")
        self._closed[delay.name] = Delay(shown.name, delay.shape, Domain.REAL)

    # -- walking --------------------------------------------------------------------------------

    def run(self) -> Graph:
        """Walk the program.

        Raises:
            UnsupportedError: an op, a neuron or a view cannot be carried; tells its module path.
        """
        for node in self.program.graph.nodes:
            self._visit(node)
        return settle_domains(rebuilt(self.graph, self._closed)) if self._closed else self.graph

    def _visit(self, node: fx.Node) -> None:
        if node.name in self.program.graph_signature.user_inputs:
            self._input(node)
        elif node.op in ("placeholder", "get_attr"):
            self.read_parameter(node)
        elif node.op == "output":
            self._output(node)
        elif not self._is_bookkeeping(node):
            self._call(node)

    def _is_bookkeeping(self, node: fx.Node) -> bool:
        """Sizes and checks: what they say is read from the shapes of the results."""
        target = str(node.target)
        arithmetic = getattr(operator, getattr(node.target, "__name__", ""), None)
        return (
            target.startswith(("aten.sym_", "aten._assert"))
            or (
                arithmetic is not None
                and node.target is arithmetic
                and node.target is not operator.getitem
            )
            or (not node.users and not is_in_place(node))
        )

    def _call(self, node: fx.Node) -> None:
        where = self.path_of(node) or "the model's own forward"
        if self.depends_on_parameters_alone(node):
            self.fold(node)
            return
        name = "getitem" if node.target is operator.getitem else str(node.target)
        if is_in_place(node) and not is_alone(node.args[0]):
            raise UnsupportedError(
                f"{name} changes a tensor in place that is read elsewhere.",
                where=where,
                fix="Write y = x + ... instead of x += ... or a method that ends in _.",
            )
        if name not in HANDLERS:
            raise UnsupportedError(
                f"operation {name} cannot be carried.",
                where=where,
                fix="Express it with convolution, linear, batch norm, pooling, mean, sum, add, "
                "multiply, matmul and reshaping.",
            )
        try:
            self._values[node] = HANDLERS[name](self, node)
            self.progress += 1
        except AxisError as error:
            raise UnsupportedError(
                f"{name} cannot be carried: {error}.",
                where=where,
                fix=error.fix
                or "Keep time and batch apart from features: [T, B, ...] for neurons, "
                "flatten(0, 1) for layers.",
            ) from error

    def _input(self, node: fx.Node) -> None:
        shape = self.shape_of(node)
        axes: list[Axis] = [
            (Atom(size, f"input:{axis}"),) if axis < self._open_axes else axis_of(size)
            for axis, size in enumerate(shape)
        ]
        one_step = self.roles.time is None
        has_time = self._steps is None if one_step else str(self.roles.time).startswith("input")
        self.steps_prime = next(
            (a.size for axis in axes for a in axis if a.name == self.roles.time), None
        )
        op = Input(
            shape=self.roles.feature_shape(tuple(axes)), domain=self._domain, per_step=has_time
        )
        name = self.graph.add("input", op).name
        if one_step and self._steps is not None:
            name = self.graph.add("steps", RepeatTime(self._steps), [name]).name
        self._values[node] = Value(name, tuple(axes))

    def _output(self, node: fx.Node) -> None:
        results = node.args[0] if isinstance(node.args[0], tuple | list) else (node.args[0],)
        if len(results) != 1:
            raise UnsupportedError(
                f"the model returns {len(results)} values.",
                where="the model's own forward",
                fix="Return the logits only, in eval mode.",
            )
        result = results[0]
        if not isinstance(result, fx.Node) or result not in self._values:
            raise UnsupportedError(
                "what the model returns does not depend on its input.",
                where="the model's own forward",
                fix="Return the logits, in eval mode.",
            )
        self.graph.outputs = (self._values[result].node,)
        self._check_output(self._values[result], result)

    def _check_output(self, value: Value, result: fx.Node) -> None:
        written = self.graph[value.node]
        outer = value.axes[: len(value.axes) - len(written.shape)]
        with_time = written.per_step and self.roles.time is not None
        expected = [[self.roles.time], [self.roles.batch]][0 if with_time else 1 :]
        if [[atom.name for atom in axis] for axis in outer] != expected:
            raise UnsupportedError(
                f"the model returns {list(result.meta['val'].shape)}: not batch, or time and "
                "batch, in front.",
                where="the model's own forward",
                fix="Return [B, classes], or [T, B, classes] for one output per time step.",
            )
