"""What was written."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from onnx import ModelProto

from spikeport.convert.graph import Graph
from spikeport.convert.ops import AddPerStep
from spikeport.targets.onnx.metadata import read_metadata
from spikeport.targets.onnx.written import IR_VERSION, OPSET


@dataclass(frozen=True)
class FileReport:
    """One model.

    Attributes:
        operators: number of ONNX nodes by kind.
        parameters: bytes of its parameters.
        states: names of the states of a step graph.
    """

    operators: dict[str, int]
    parameters: int
    states: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: ModelProto) -> FileReport:
        inputs = [each.name for each in model.graph.input]
        return cls(
            dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
            sum(len(each.raw_data) for each in model.graph.initializer),
            tuple(inputs[1:]),
        )


@dataclass(frozen=True)
class OnnxReport:
    """What lowering did. Nothing is approximated but the rounding of sums in another order."""

    steps: int
    dtype: Literal["float32", "float64"]
    files: dict[str, FileReport]
    limits: tuple[str, ...] = ()
    opset: int = OPSET
    ir_version: int = IR_VERSION

    @classmethod
    def of(cls, graph: Graph, models: dict[str, ModelProto]) -> OnnxReport:
        told = read_metadata(next(iter(models.values())))
        return cls(
            int(told["steps"]),
            "float64" if told["dtype"] == "float64" else "float32",
            {name: FileReport.of(model) for name, model in models.items()},
            tuple(_limits(graph)) if "step" in models else (),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def warnings(self) -> tuple[str, ...]:
        """Limits of the step graph that a caller has to know."""
        return self.limits


def _limits(graph: Graph) -> list[str]:
    return [
        f"{node.path or node.name}: its constants are for {node.op.steps} time steps; the step "
        "graph fails at the next one."
        for node in graph
        if isinstance(node.op, AddPerStep)
    ]
