"""From what was written to an ONNX model: assembled, stamped, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import onnx
from onnx import ModelProto, ValueInfoProto, helper

from spikeport.core.errors import UnsupportedError
from spikeport.targets.onnx.emitter import Emitter
from spikeport.targets.onnx.moments import State

BATCH = "batch"
"""The open axis."""
OPSET = 20
IR_VERSION = 10
"""What onnxruntime reads from 1.18 on; onnx itself would write a newer one than it reads."""
SIZE_LIMIT = 2**31 - 2**24
"""Bytes of parameters in one file: protobuf ends at 2 GiB, and nodes need room too."""


@dataclass(frozen=True)
class Written:
    """A graph in ONNX, before it is a model.

    Attributes:
        values: the value of each node that is not named after it.
        states: of the step graph, in the order of its inputs.
    """

    emit: Emitter
    inputs: list[ValueInfoProto]
    outputs: list[ValueInfoProto]
    values: Mapping[str, str]
    states: list[State] = field(default_factory=list)

    def model(self, name: str, metadata: Mapping[str, str]) -> ModelProto:
        """The model with its metadata, checked by onnx.

        Raises:
            UnsupportedError: its parameters do not fit into one file.
        """
        require_size(sum(len(each.raw_data) for each in self.emit.initializers), name)
        # Filled in place: the helpers for graphs and models would copy all parameters once more.
        model = ModelProto(
            ir_version=IR_VERSION,
            producer_name="spikeport",
            opset_import=[helper.make_opsetid("", OPSET)],
        )
        model.graph.name = name
        model.graph.node.extend(self.emit.nodes)
        model.graph.input.extend(self.inputs)
        model.graph.output.extend(self.outputs)
        model.graph.initializer.extend(self.emit.initializers)
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model


def require_size(size: int, where: str) -> None:
    """Do nothing if parameters of this many bytes fit.

    Raises:
        UnsupportedError: they do not.
    """
    if size > SIZE_LIMIT:
        raise UnsupportedError(
            f"its parameters take {size / 2**30:.2f} GiB; an ONNX file holds less than 2 GiB.",
            where=where,
            fix="Lower a smaller network, or in float32.",
        )
