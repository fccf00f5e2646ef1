"""A tally that counts batches in other processes too."""

from __future__ import annotations

from typing import Any

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Op
from spikeport.core.errors import UsageError
from spikeport.estimate.tally.rules import RULES, Rule
from spikeport.estimate.tally.tally import Tally


class Counter:
    """Gives the tally whose `count` counts batches; what is counted is added elsewhere.

    In another process, that is a tally made there when it is asked for first. Sent are the graph
    and, by name, its counting rules: to import a rule is to register it.

    Args:
        tally: counts the batches of this process.
    """

    def __init__(self, tally: Tally) -> None:
        self._graph = tally.graph
        self._rules = _rules(tally.graph)
        self._tally: Tally | None = tally

    @property
    def tally(self) -> Tally:
        """Leave it as it is: several batches use it.

        Raises:
            UsageError: this process does not count by the rules of the one that sent the work.
        """
        if self._tally is None:
            self._check()
            self._tally = Tally(self._graph)
        return self._tally

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tally": None}

    def _check(self) -> None:
        here = _rules(self._graph)
        for node in self._graph:
            kind = type(node.op)
            if here[kind] is not self._rules[kind]:
                raise UsageError(
                    f"a worker would not count this {node.op.kind} as the process does that sent "
                    "the work: its counting rule is registered in only one of them.",
                    where=node.path or node.name,
                    fix="Register the rule in a module that workers can import.",
                )


def _rules(graph: Graph) -> dict[type[Op], Rule | None]:
    return {type(node.op): RULES.find(type(node.op)) for node in graph}
