"""From a target's passes and rules to a verdict on every node; never raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from spikeport.convert.check.findings import Finding, NodeRefused, Severity, error
from spikeport.convert.check.report import CheckReport, Status, Treatment, Verdict
from spikeport.convert.graph import Graph, Node
from spikeport.convert.passes import PASSES


class Rules(Protocol):
    """What a target knows about one graph, after its passes."""

    def of_node(self, node: Node) -> Iterable[Finding]:
        """What the rule for this kind of op finds."""
        ...

    def of_graph(self) -> Iterable[Finding]:
        """What shows only in the whole."""
        ...

    def of_numbers(self) -> Iterable[Finding]:
        """What shows only once nothing above stands against the graph: ranges and scales."""
        ...

    def treatment(self, node: Node) -> Treatment:
        """What becomes of a node that no finding of severity error names."""
        ...


@dataclass
class Rewritten:
    """A graph after a target's passes.

    Attributes:
        gone: the nodes of the original that are not in it any more.
    """

    graph: Graph
    gone: dict[str, Treatment] = field(default_factory=dict)


def rewritten(graph: Graph, passes: Iterable[str]) -> Rewritten:
    """Run passes by name.

    Raises:
        UnknownNameError: no pass has the name.
        SpikeportError: a pass refuses the graph.
    """
    result = Rewritten(graph)
    for name in passes:
        after = PASSES[name](result.graph)
        needed = _needed(result.graph)
        for node in result.graph:
            if node.name not in after:
                how = "" if node.name in needed else "left out: no output depends on it"
                result.gone[node.name] = Treatment(Status.REWRITTEN, by=name, how=how)
        result.graph = after
    return result


def _needed(graph: Graph) -> set[str]:
    """The nodes that an output depends on, at this step or an earlier one."""
    needed, waiting = set[str](), list(graph.outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += graph[name].inputs
            waiting += filter(None, [graph[name].op.feedback])
    return needed


def judge(
    graph: Graph, target: str, passes: Iterable[str], rules_for: Callable[[Graph], Rules]
) -> CheckReport:
    """A verdict on every node of the graph.

    A rule that fails is itself a finding, and stops no other.

    Args:
        passes: what the target's lowering runs first, by name.
        rules_for: the target's rules for the graph that these passes leave.
    """
    nodes = list(graph)
    changed, found = Rewritten(graph), _Found(graph, nodes)
    try:
        changed = rewritten(graph, passes)
    except Exception as failure:
        found.keep(_failed(nodes, failure))
    rules = rules_for(changed.graph)
    for node in changed.graph:
        found.collect(partial(rules.of_node, node), [node])
    found.collect(rules.of_graph, nodes)
    if not found.errors:
        found.collect(rules.of_numbers, nodes)
    verdicts = [_verdict(changed, node, found.of.pop(node.name, []), rules) for node in nodes]
    for name, left in found.of.items():
        verdicts.append(Verdict(name, "", "", Status.UNSUPPORTED, findings=tuple(left)))
    return CheckReport(target, tuple(verdicts))


@dataclass
class _Found:
    """Findings by node of the user's graph."""

    graph: Graph
    nodes: list[Node]
    of: dict[str, list[Finding]] = field(default_factory=dict)

    @property
    def errors(self) -> bool:
        each = (finding for findings in self.of.values() for finding in findings)
        return any(finding.severity is Severity.ERROR for finding in each)

    def collect(self, rule: Callable[[], Iterable[Finding]], nodes: list[Node]) -> None:
        try:
            for finding in rule():
                self.keep(finding)
        except NodeRefused as refusal:
            self.keep(refusal.finding)
        except Exception as failure:
            self.keep(_failed(nodes, failure))

    def keep(self, finding: Finding) -> None:
        self.of.setdefault(self._home(finding), []).append(finding)

    def _home(self, finding: Finding) -> str:
        """The node that a finding is about; a pass may have made another one of its module."""
        if finding.node in self.graph:
            return finding.node
        of_module = (node.name for node in self.nodes if node.path and node.path == finding.path)
        return next(of_module, self.nodes[-1].name if self.nodes else "")


def _failed(nodes: list[Node], failure: Exception) -> Finding:
    why = f"a rule failed on it: {type(failure).__name__}: {failure}"
    advice = "If the model runs, please report it: this target cannot tell what is wrong."
    if nodes:
        return error(nodes[-1], why, advice)
    return Finding(Severity.ERROR, "", "", why, advice)


def _verdict(changed: Rewritten, node: Node, found: list[Finding], rules: Rules) -> Verdict:
    if any(finding.severity is Severity.ERROR for finding in found):
        treatment = Treatment(Status.UNSUPPORTED)
    elif node.name in changed.gone:
        treatment = changed.gone[node.name]
    else:
        try:
            treatment = rules.treatment(changed.graph[node.name])
        except Exception as failure:
            treatment = Treatment(Status.UNSUPPORTED)
            found = [*found, _failed([node], failure)]
    return Verdict(
        node=node.name,
        op=node.op.kind,
        path=node.path,
        status=treatment.status,
        by=treatment.by,
        how=treatment.how,
        findings=tuple(found),
    )
