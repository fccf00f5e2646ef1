"""Can this graph be written in NIR? The rules are those of the lowering, all findings at once."""

from __future__ import annotations

from spikeport.convert.check import CheckReport, judge
from spikeport.convert.graph import Graph
from spikeport.targets.nir.options import NirOptions
from spikeport.targets.nir.requirements import PASSES, Requirements


def check(graph: Graph, **options: object) -> CheckReport:
    """What becomes of every node of a graph when it is written in NIR.

    Never stops at the first finding and never raises for a graph.

    Args:
        options: those of `NirOptions`, such as `expand_residuals=True`.

    Raises:
        UsageError: an option is unknown or out of range.
    """
    chosen = NirOptions.of(**options)
    return judge(graph, "nir", PASSES, lambda changed: Requirements(changed, chosen))
