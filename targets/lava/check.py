"""Can this graph be lowered to Lava? The rules are those of the lowering, all findings at once."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import CheckReport, Finding, NodeRefused, judge, note
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.targets.lava.entry import Entry
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
        node = self.graph.input
        entry = Entry.counts(1)
        if not node.domain.is_whole:
            entry = Entry.images(1.0, LoweringOptions().input_bits)
            assumed = "magnitudes up to 1"
        else:
            assumed = "counts up to 1 per step" if node.domain is not Domain.SPIKE else ""
        if assumed:
            yield note(
                node,
                f"head-room was checked for {assumed}; with larger ones, as found in "
                "calibration frames, lowering may still refuse.",
            )
        lowering = plan(self.graph, self.region, LoweringOptions(), entry)
        unsettled: set[str] = set()
        for stream in lowering.streams:
            try:
                if unsettled.isdisjoint(stream.sources):
                    lowering.scaler.settle(stream)
                    continue
            except NodeRefused as refusal:
                yield refusal.finding
            unsettled.update(stream.members)
