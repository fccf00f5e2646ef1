"""Where height and width of the image lie in the features of each edge.

Followed through the graph as products of atoms (`convert.tracing.axes`): tokens `[C, H W]` are
still a map, and become one again when they are reshaped; scores between tokens are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    AdaptiveAvgPool,
    Add,
    AddConstant,
    AddPerStep,
    BatchNorm,
    Complement,
    Concat,
    Conv,
    Fourier,
    Input,
    Linear,
    MatMul,
    Mean,
    Multiply,
    MultiplyConstant,
    OverTime,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
    Shape,
    Slice,
    Stateful,
    Subtract,
    Sum,
    Threshold,
    Tile,
    ZeroPad,
)
from spikeport.convert.ops.window import WindowPool
from spikeport.convert.tracing.axes import Atom, Axes, Axis, AxisError, axis_of, regroup, sizes
from spikeport.estimate.tally.registry import ClassRegistry

HEIGHT, WIDTH = "height", "width"


class NoMap(Exception):
    """An edge has no height and width, and why."""


@dataclass(frozen=True)
class Space:
    """How the features of an edge lie.

    Attributes:
        axes: each feature axis as a product of atoms; those of the image carry a name.
        reason: why the edge is no map; empty if it is one.
    """

    axes: Axes
    reason: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        by_name = {atom.name: atom.size for axis in self.axes for atom in axis}
        return by_name[HEIGHT], by_name[WIDTH]

    def maps(self, value: Tensor) -> Tensor:
        """`[T, B, *shape]` to `[T, B, channels, H, W]`, whatever the order of its axes."""
        atoms = [atom for axis in self.axes for atom in axis]
        split = value.reshape(*value.shape[:2], *(atom.size for atom in atoms))
        places = [2 + [atom.name for atom in atoms].index(name) for name in (HEIGHT, WIDTH)]
        return split.movedim(places, [-2, -1]).reshape(*value.shape[:2], -1, *self.size)


Rule = Callable[[Node, Sequence[Axes]], Axes]
"""The axes of a node's output from those of its inputs; raises `NoMap` or `AxisError`."""

RULES: ClassRegistry[Rule] = ClassRegistry("rule of space")


def spaces(graph: Graph) -> dict[str, Space]:
    """The space of each node's output."""
    # What a delay shows comes later: its readers are judged by their other inputs first.
    first = _pass(graph, {})
    shown = {node.name: first.get(node.op.feedback or "") for node in graph.delays}
    return {
        name: space or Space((), "nothing tells where its axes come from")
        for name, space in _pass(graph, shown).items()
    }


def _pass(graph: Graph, shown: dict[str, Space | None]) -> dict[str, Space | None]:
    found: dict[str, Space | None] = {}
    for node in graph:
        if node.op.feedback is not None:
            found[node.name] = shown.get(node.name)
        else:
            found[node.name] = _space(node, [found[name] for name in node.inputs])
    return found


def _space(node: Node, inputs: list[Space | None]) -> Space | None:
    known = [each for each in inputs if each is not None]
    joins = isinstance(node.op, Add | Subtract | Multiply)
    if len(known) < len(inputs) and not (joins and known):
        return None
    plain = tuple(axis_of(size) for size in node.shape)
    rule = RULES.find(type(node.op))
    if rule is None:
        return Space(plain, f"nothing tells what {node.op.kind} does to height and width")
    try:
        axes = rule(node, [each.axes for each in known])
    except (NoMap, AxisError) as error:
        # Where there was no map before, the first reason is the one to tell.
        before = [each.reason for each in known]
        return Space(plain, before[0] if before and all(before) else str(error))
    names = [atom.name for axis in axes for atom in axis if atom.name]
    if sorted(names) == [HEIGHT, WIDTH]:
        return Space(axes)
    if len(set(names)) < len(names):
        return Space(axes, "it holds pairs of positions")
    reasons = [each.reason for each in known if each.reason]
    return Space(axes, reasons[0] if reasons else "it has no height and width")


@RULES.register(Input)
def _input(node: Node, inputs: Sequence[Axes]) -> Axes:
    if len(node.shape) != 3:
        raise NoMap("the input is no image [C, H, W]")
    channels, height, width = node.shape
    return (axis_of(channels), (Atom(height, HEIGHT),), (Atom(width, WIDTH),))


@RULES.register(AddConstant)
@RULES.register(AddPerStep)
@RULES.register(BatchNorm)
@RULES.register(Complement)
@RULES.register(MultiplyConstant)
@RULES.register(OverTime)
@RULES.register(RepeatTime)
@RULES.register(Scale)
@RULES.register(Stateful)
@RULES.register(Threshold)
def _same(node: Node, inputs: Sequence[Axes]) -> Axes:
    """Element by element."""
    return inputs[0]


@RULES.register(AdaptiveAvgPool)
@RULES.register(Slice)
@RULES.register(Tile)
@RULES.register(WindowPool)
@RULES.register(ZeroPad)
def _resized(node: Node, inputs: Sequence[Axes]) -> Axes:
    """Axes keep their meaning and change their size."""
    pairs = zip(inputs[0], node.shape, strict=True)
    return tuple(_with_size(axis, size) for axis, size in pairs)


@RULES.register(Conv)
def _conv(node: Node, inputs: Sequence[Axes]) -> Axes:
    pairs = zip(inputs[0][1:], node.shape[1:], strict=True)
    return (axis_of(node.shape[0]), *(_with_size(axis, size) for axis, size in pairs))


@RULES.register(Linear)
def _linear(node: Node, inputs: Sequence[Axes]) -> Axes:
    if _is_named(inputs[0][-1]):
        raise NoMap("weights mix its positions")
    return (*inputs[0][:-1], axis_of(node.shape[-1]))


@RULES.register(Mean)
@RULES.register(Sum)
def _reduced(node: Node, inputs: Sequence[Axes]) -> Axes:
    op, axes = node.op, inputs[0]
    assert isinstance(op, Mean | Sum)
    if any(_is_named(axes[axis]) for axis in op.axes):
        raise NoMap("it is summed over positions")
    if op.keep:
        return tuple(() if i in op.axes else axis for i, axis in enumerate(axes))
    return tuple(axis for i, axis in enumerate(axes) if i not in op.axes)


@RULES.register(Reshape)
def _reshape(node: Node, inputs: Sequence[Axes]) -> Axes:
    return regroup(inputs[0], node.shape)


@RULES.register(Permute)
def _permute(node: Node, inputs: Sequence[Axes]) -> Axes:
    assert isinstance(node.op, Permute)
    return tuple(inputs[0][axis] for axis in node.op.order)


@RULES.register(Fourier)
def _fourier(node: Node, inputs: Sequence[Axes]) -> Axes:
    assert isinstance(node.op, Fourier)
    if any(_is_named(inputs[0][axis]) for axis in node.op.axes):
        raise NoMap("its axes are frequencies, not positions")
    return inputs[0]


@RULES.register(Concat)
def _concat(node: Node, inputs: Sequence[Axes]) -> Axes:
    assert isinstance(node.op, Concat)
    joined = node.op.axis
    axes = [_with_size(each[joined], node.shape[joined]) for each in inputs]
    filled = [
        (*each[:joined], axis, *each[joined + 1 :]) for each, axis in zip(inputs, axes, strict=True)
    ]
    return _agreed(node.shape, filled)


@RULES.register(Add)
@RULES.register(Multiply)
@RULES.register(Subtract)
def _pairwise(node: Node, inputs: Sequence[Axes]) -> Axes:
    return _agreed(node.shape, inputs)


@RULES.register(MatMul)
def _matmul(node: Node, inputs: Sequence[Axes]) -> Axes:
    a, b = inputs
    axes = (*_agreed(node.shape[:-2], [a[:-2], b[:-2]]), a[-2], b[-1])
    if _is_named(a[-1]) and not any(map(_is_named, axes)):
        raise NoMap("its product sums over positions")
    return axes


def _agreed(shape: Shape, inputs: Sequence[Axes]) -> Axes:
    """Axes of a broadcast: what those inputs say that are not repeated along an axis."""
    result: list[Axis] = []
    for place, size in enumerate(shape):
        said = [axes[place] for axes in inputs if sizes((axes[place],)) == (size,)]
        named = set(filter(_is_named, said))
        if not named:
            result.append(axis_of(size))
        elif len(named) == 1 and all(axis in named for axis in said):
            result += named
        else:
            raise NoMap("its inputs do not lie along the same axes")
    return tuple(result)


def _is_named(axis: Axis) -> bool:
    """Whether it holds height or width."""
    return any(atom.name for atom in axis)


def _with_size(axis: Axis, size: int) -> Axis:
    if sizes((axis,)) == (size,):
        return axis
    if not _is_named(axis):
        return axis_of(size)
    if len(axis) == 1:
        return (Atom(size, axis[0].name),)
    raise NoMap("positions are cut out of an axis of height and width together")
