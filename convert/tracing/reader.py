"""Reads an exported program: shapes, module paths, and what depends on parameters alone."""

from __future__ import annotations

from typing import Any

import sympy
import torch
from torch import Tensor, fx
from torch.export import ExportedProgram

from spikeport.convert.tracing.axes import Axis, AxisError, sizes
from spikeport.core.errors import UnsupportedError

# Stand in for the open time and batch sizes: no layer has feature sizes with such factors.
_PRIMES = (1_000_003, 1_000_033, 1_000_037, 1_000_039)

_VIEWS = (
    *("view", "reshape", "flatten", "unflatten", "squeeze", "transpose", "permute", "expand"),
    *("slice", "select", "narrow", "chunk", "split", "unbind", "getitem", "movedim", ".t."),
)


def repeat_name(node: fx.Node, axis: int) -> str:
    """The name of the atom that a repeat makes on an axis of its output."""
    return f"repeat:{node.name}:{axis}"


def repeats_in(program: ExportedProgram) -> list[str]:
    """Names of all atoms that repeats may make, in the order of the program."""
    return [
        repeat_name(node, axis)
        for node in program.graph.nodes
        if any(word in str(node.target) for word in ("expand", "repeat", "stack"))
        for axis in range(node.meta["val"].ndim)
    ]


def is_in_place(node: fx.Node) -> bool:
    """Whether the op writes to one of its arguments."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def is_alone(argument: Any) -> bool:
    """Whether nothing but one in-place op reads a tensor, nor any tensor that it is a view of."""
    while isinstance(argument, fx.Node):
        if len(argument.users) != 1 or argument.op == "placeholder":
            return False
        if not any(view in str(argument.target) for view in _VIEWS):
            return True
        argument = argument.args[0]
    return False


class Reader:
    """What the nodes of one exported program say."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self._constants: dict[fx.Node, Tensor] = {}
        self._symbols: dict[sympy.Symbol, int] = {}

    def shape_of(self, node: fx.Node) -> tuple[int, ...]:
        """Output shape with primes in place of open sizes."""
        return tuple(self.size(size) for size in node.meta["val"].shape)

    def size(self, size: int | torch.SymInt) -> int:
        """A size, computed with primes in place of open ones."""
        if isinstance(size, int):
            return size
        expression = size.node.expr
        for symbol in sorted(expression.free_symbols, key=str):
            if symbol not in self._symbols:
                self._symbols[symbol] = _PRIMES[len(self._symbols)]
        return int(expression.subs(self._symbols))

    def size_of(self, axis: Axis) -> int:
        """Positions of an axis, a prime in place of an open one."""
        return sizes((axis,))[0]

    def path_of(self, node: fx.Node) -> str:
        """Path of the innermost module whose forward made this op."""
        frames = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values()]
        paths = [path for path in frames if path and not path.startswith("_empty_nn_module")]
        return str(paths[-1]) if paths else ""

    def is_constant(self, argument: Any) -> bool:
        return not isinstance(argument, fx.Node) or argument in self._constants

    def constant(self, argument: Any) -> Tensor | None:
        """The parameter behind an argument.

        Raises:
            AxisError: it is computed from the input.
        """
        if argument is None:
            return None
        if argument not in self._constants:
            raise AxisError("one of its parameters is computed from the input")
        return self._constants[argument]

    def is_open(self, size: int) -> bool:
        """Whether a size is computed from an open one."""
        return any(size % prime == 0 for prime in self._symbols.values())

    def read_parameter(self, node: fx.Node) -> None:
        """Take in a parameter, a buffer or a constant of the model."""
        signature, program = self.program.graph_signature, self.program
        if node.op == "get_attr":
            self._constants[node] = getattr(program.graph_module, str(node.target))
            return
        for table, tensors in (
            (signature.inputs_to_parameters, program.state_dict),
            (signature.inputs_to_buffers, {**program.constants, **program.state_dict}),
            (signature.inputs_to_lifted_tensor_constants, program.constants),
        ):
            if node.name in table:
                self._constants[node] = tensors[table[node.name]].detach()

    def depends_on_parameters_alone(self, node: fx.Node) -> bool:
        """Whether an op reads nothing but parameters, or nothing at all."""
        return all(argument in self._constants for argument in node.all_input_nodes)

    def fold(self, node: fx.Node) -> None:
        """Compute what depends on parameters alone.

        Raises:
            UnsupportedError: it changes a parameter, or draws at random.
        """
        tags = getattr(node.target, "tags", ())
        drops = "dropout" in str(node.target) and node.args[2]
        if torch.Tag.nondeterministic_seeded in tags or is_in_place(node) or drops:
            raise UnsupportedError(
                f"{node.target} changes a parameter, or draws at random, in the forward.",
                where=self.path_of(node) or "the model's own forward",
                fix="Keep parameters as they are in eval mode.",
            )
        arguments = fx.map_arg(node.args, lambda n: self._constants[n])
        keywords = fx.map_arg(node.kwargs, lambda n: self._constants[n])
        with torch.no_grad():
            self._constants[node] = node.target(*arguments, **keywords)  # type: ignore[operator]
