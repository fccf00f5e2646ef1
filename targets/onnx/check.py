"""Can this graph be written in ONNX? The rules are those of the lowering, all findings at once."""

from __future__ import annotations

from spikeport.convert.check import CheckReport, judge
from spikeport.convert.graph import Graph
from spikeport.targets.onnx.requirements import PASSES, Requirements


def check(graph: Graph) -> CheckReport:
    """What becomes of every node of a graph when it is lowered to ONNX with default options.

    Never stops at the first finding and never raises.
    """
    return judge(graph, "onnx", PASSES, Requirements)
