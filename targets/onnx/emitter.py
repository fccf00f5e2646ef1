"""Writes the nodes of an ONNX graph: unique names, parameters stored once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Shape

Array = npt.NDArray[Any]

ONNX_TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
"""By the name of the type that the graph computes in."""


class Emitter:
    """An ONNX graph under construction. Values are named; a name is written once.

    Args:
        dtype: `float32` or `float64`, the type of all values that are not spikes or counts.
        reserved: names that only `named` gives, the nodes of the graph that is written.
    """

    def __init__(self, dtype: str, reserved: Iterable[str] = ()) -> None:
        self.dtype = np.dtype(dtype)
        self.onnx_type = ONNX_TYPES[dtype]
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self._taken = set(reserved)
        self._read: set[str] = set()
        self._named: set[str] = set()
        self._producers: dict[str, tuple[NodeProto, int]] = {}
        self._stored: dict[str, str] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def fresh(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        free, number = name, 2
        while free in self._taken:
            free, number = f"{name}_{number}", number + 1
        self._taken.add(free)
        return free

    def write(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        path: str = "",
        **attributes: Any,
    ) -> tuple[str, ...]:
        """Add an ONNX node; its outputs get these names, or ones like them."""
        names = [self.fresh(output) for output in outputs]
        node = helper.make_node(
            kind, list(inputs), names, name=f"{names[0]}:{kind}", doc_string=path, **attributes
        )
        self.nodes.append(node)
        self._read.update(inputs)
        self._producers |= {name: (node, port) for port, name in enumerate(names)}
        return tuple(names)

    def named(self, value: str, name: str, path: str = "") -> str:
        """The value under a name of its own: renamed if nothing knows it by another, else copied.

        Each value is named once: what a node only hands on stays the value of the other node too.
        """
        self._taken.add(name)
        if value not in self._producers or value in self._read or value in self._named:
            node = helper.make_node("Identity", [value], [name], name=f"{name}:Identity")
            node.doc_string = path
            self.nodes.append(node)
            self._read.add(value)
            self._producers[name] = (node, 0)
        elif value != name:
            node, port = self._producers.pop(value)
            node.output[port] = name
            node.name = f"{name}:{node.op_type}"
            self._producers[name] = (node, port)
        self._named.add(name)
        return name

    def store(self, key: str, value: Array) -> str:
        """A parameter under its key or a name like it, stored once however often it is read."""
        if key not in self._stored:
            self._stored[key] = self._initializer(key, value)
        return self._stored[key]

    def constant(self, value: Array, name: str = "constant") -> str:
        """A small constant, stored once for all that need the same."""
        key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self._constants:
            self._constants[key] = self._initializer(name, value)
        return self._constants[key]

    def _initializer(self, wanted: str, value: Array) -> str:
        name = self.fresh(wanted)
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """Whole numbers as a 1-D tensor: a shape, axes, starts."""
        return self.constant(np.array(values, dtype=np.int64), "integers")

    def scalar(self, value: float) -> str:
        """A number, in the type that the graph computes in."""
        return self.constant(np.array(value, dtype=self.dtype), "scalar")


@dataclass(frozen=True)
class Place:
    """Where a lowering writes: one node of the graph, perhaps at one of its time steps.

    Attributes:
        shapes: of what the node reads, without time and batch axes.
        suffix: tells the values of one time step from those of another.
    """

    emit: Emitter
    node: Node
    shapes: tuple[Shape, ...]
    suffix: str = ""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an ONNX node with one output."""
        return self.ops(kind, *inputs, count=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, count: int, **attributes: Any) -> tuple[str, ...]:
        """Add an ONNX node with several outputs."""
        stem = f"{self.node.name}/{kind.lower()}{self.suffix}"
        outputs = [stem] if count == 1 else [f"{stem}.{port}" for port in range(count)]
        return self.emit.write(kind, inputs, outputs, self.node.path, **attributes)

    def parameter(self, field: str, value: Tensor | Array) -> str:
        """A parameter of the node, in the type that the graph computes in."""
        plain = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else value
        return self.emit.store(f"{self.node.name}.{field}", plain.astype(self.emit.dtype))

    def scalar(self, value: float) -> str:
        return self.emit.scalar(value)

    def integers(self, *values: int) -> str:
        return self.emit.integers(*values)

    @property
    def double(self) -> bool:
        """Whether the graph computes in float64, for which onnxruntime lacks some kernels."""
        return self.emit.dtype == np.float64

    @property
    def torch_dtype(self) -> torch.dtype:
        return torch.float64 if self.double else torch.float32

    def reshaped(self, x: str, *shape: int) -> str:
        """`x` as `[-1, *shape]`: whatever its first axis runs over stays open."""
        return self.op("Reshape", x, self.integers(-1, *shape))
