"""The coverage ledger, and ops that come from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import IF, Conv, Input, Linear, Shape, Stateless
from spikeport.core.errors import UsageError
from spikeport.estimate import Coverage, Ledger, NodePlan, Tally, Term, estimate, register_rule
from spikeport.estimate.tally import RULES, Facts


@dataclass(frozen=True, eq=False)
class Negate(Stateless):
    """An op that no counting rule knows."""

    kind = "negate"

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        return -inputs[0]


@pytest.fixture
def strange_net() -> Graph:
    graph = Graph()
    graph.add("x", Input((4,), Domain.SPIKE, True))
    graph.add("negate", Negate(), ["x"], path="block.negate")
    graph.add("if", IF(1.0, 0.0), ["negate"])
    graph.add("head", Linear(torch.ones(3, 4), None), ["if"], path="head")
    graph.outputs = ("head",)
    return graph


def test_uncounted_is_said_in_the_first_line(strange_net: Graph, tmp_path: Path) -> None:
    frames = torch.ones(2, 1, 4)
    report = estimate(Interpreter(strange_net), [(frames, None)])
    assert not report.ledger.complete
    assert [entry.node for entry in report.ledger.uncounted] == ["negate"]
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(report.render())
    assert console.export_text().splitlines()[0].startswith("INCOMPLETE: 1 UNCOUNTED: block.negate")
    assert next(iter(report.as_dict().values())).startswith("INCOMPLETE")
    report.to_csv(tmp_path / "layers.csv")
    assert (tmp_path / "layers.csv").read_text().startswith("# INCOMPLETE")
    table = pd.read_csv(tmp_path / "layers.csv", comment="#").set_index("node")
    assert table.loc["negate", "coverage"] == "UNCOUNTED"


def test_complete_ledger_names_each_node_once(small_net: Graph) -> None:
    ledger = Ledger.of(Tally(small_net))
    assert [entry.node for entry in ledger] == [node.name for node in small_net]
    assert ledger.complete
    assert "UNCOUNTED" not in ledger.summary()
    assert all(entry.reason for entry in ledger if entry.status is Coverage.ZERO)
    assert any("commuted" in note for note in ledger.notes())


@pytest.fixture
def negate_rule() -> Iterator[None]:
    @register_rule(Negate)
    def count_negate(node: Node, facts: Facts) -> NodePlan:
        return NodePlan(Coverage.COUNTED, per_step={Term.MULTIPLY: 4})

    yield
    # The registry has no way to forget; this test must not change what others see.
    entries = RULES._entries._entries
    del entries[f"{Negate.__module__}.{Negate.__qualname__}"]


@pytest.mark.usefixtures("negate_rule")
def test_other_packages_register_rules(strange_net: Graph) -> None:
    tally = Tally.over(Interpreter(strange_net), [torch.ones(2, 1, 4)])
    assert Ledger.of(tally).complete
    assert tally.total("negate", Term.MULTIPLY) == 8


def test_a_class_has_one_rule() -> None:
    with pytest.raises(ValueError, match="twice"):
        register_rule(Conv)(lambda node, facts: NodePlan(Coverage.COUNTED))


class _Silent:
    """An executor that shows only its output, as a fused one might."""

    def __init__(self, graph: Graph) -> None:
        self.inner = Interpreter(graph)
        self.graph = graph

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        outputs = self.graph.outputs

        def last_only(node: Node, value: Tensor) -> None:
            if tap is not None and node.name in outputs:
                tap(node, value)

        return self.inner.run(frames, last_only)


def test_edges_that_are_not_shown_are_refused(small_net: Graph, frames: Tensor) -> None:
    tally = Tally(small_net)
    with pytest.raises(UsageError, match="did not show"):
        tally.run(_Silent(small_net), frames)
    assert tally.samples == 0


def test_foreign_nodes_are_refused(small_net: Graph, strange_net: Graph, frames: Tensor) -> None:
    with pytest.raises(UsageError, match="counted graph"):
        Tally(strange_net).run(Interpreter(small_net), frames)


@pytest.mark.parametrize(
    ("domain", "value"),
    [(Domain.SPIKE, 2.0), (Domain.SPIKE, 0.5), (Domain.GRADED, 0.5), (Domain.REAL, float("nan"))],
)
def test_input_must_be_what_it_is_declared(
    count_chain: Callable[..., Tally], domain: Domain, value: float
) -> None:
    frames = torch.ones(2, 1, 4)
    frames[1, 0, 2] = value
    with pytest.raises(UsageError, match="frame"):
        count_chain(frames, domain, Linear(torch.ones(3, 4), None))
