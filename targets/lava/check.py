"""Can this graph be lowered to Lava? The rules are those of the lowering, all findings at once."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import CheckReport, Finding, NodeRefused, judge, note
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.targets.lava.quantise import LoweringOptions
from spikeport.targets.lava.quantise.plan import plan
from spikeport.targets.lava.requirements import PASSES, Requirements


def check(graph: Graph) -> CheckReport:
    """What becomes of every node of a float graph when it is lowered to Lava.

    Never stops at the first finding and never raises. `lower` with its default options refuses the
    graphs that have an `unsupported` node. Head-room depends on how large counts of events can be:
    it is checked for counts up to one, and a note tells so where the input may hold more.
    """
    return judge(graph, "lava", PASSES, _Lowering)


class _Lowering(Requirements):
    """The requirements, and what no choice of scales can represent."""

    def of_numbers(self) -> Iterator[Finding]:
        """Thresholds, biases and sums that fit at no exponent."""
        entry = self.graph.input
        if entry.domain is not Domain.SPIKE:
            yield note(
                entry,
                "head-room was checked for counts up to 1 per step; with larger ones, as found in "
                "calibration frames, lowering may still refuse.",
            )
        lowering = plan(self.graph, self.region, LoweringOptions(), input_max=1)
        for stream in lowering.streams:
            try:
                lowering.scaler.choose(stream)
            except NodeRefused as refusal:
                yield refusal.finding
