"""A whole traced Max-Former: everything counted, nothing unknown, all identities hold."""

from __future__ import annotations

import pytest
import torch

from spikeport.convert import Graph, Interpreter
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.convert.passes import cancel_views, fold_batch_norm
from spikeport.convert.tracing import trace_unproven
from spikeport.estimate import EnergyReport, Term, estimate
from spikeport.train.models import create_model


@pytest.fixture(scope="module")
def graph() -> Graph:
    torch.manual_seed(0)
    # A narrow one: what is tested here are names, kinds and identities.
    model = create_model("max_former_digits", dim=32, heads=2).eval()
    # The proof that the graph is the model is another test's job.
    unproven = trace_unproven(model, torch.zeros(1, 4, 2, 32, 32), input_domain=Domain.GRADED)
    return fold_batch_norm(cancel_views(unproven))


@pytest.fixture(scope="module")
def report(graph: Graph) -> EnergyReport:
    make = torch.Generator().manual_seed(0)
    frames = torch.poisson(torch.full((4, 3, 2, 32, 32), 0.4), generator=make)
    return estimate(Interpreter(graph), [(frames, torch.tensor([0, 1, 2]))])


def test_everything_is_counted(report: EnergyReport) -> None:
    assert report.ledger.complete
    synaptic = [n for n in report.tally.graph if isinstance(n.op, Conv | Linear | MatMul)]
    for node in synaptic:
        assert Term.SOP in report.tally.plans[node.name].terms, node
    assert Term.MAC not in report.tables.terms


def test_stages_of_the_published_names(report: EnergyReport) -> None:
    parts = {(row["stage"], row["part"]) for row in report.stages.to_dict(orient="records")}
    for stage in ("1", "2"):
        for part in ("patch embedding", "token mixing", "MLP"):
            assert (stage, part) in parts
    assert ("", "head") in parts


def test_head_reads_spikes(report: EnergyReport) -> None:
    (head,) = (n for n in report.tally.graph if isinstance(n.op, Linear))
    plan = report.tally.plans[head.name]
    assert plan.commuted
    assert report.tally.total(head.name, Term.SOP) == 10 * report.tally.total(
        head.name, Term.EVENTS_IN
    )


def test_rate_formula_is_never_below_the_exact_count_where_rates_are_even(
    report: EnergyReport,
) -> None:
    for name in report.tables.names:
        plan = report.tally.plans[name]
        if Term.DENSE in plan.terms:
            assert plan.fixed(Term.DENSE, 4) <= plan.fixed(Term.DENSE_PADDED, 4)
            assert report.tally.total(name, Term.SOP) <= report.tally.total(name, Term.DENSE)
            assert report.tally.total(name, Term.SOP_EFFECTIVE) <= report.tally.total(
                name, Term.SOP
            )


def test_paper_mode_charges_convolutions_and_head_only(report: EnergyReport) -> None:
    (paper,) = report.papers
    kinds = {report.tally.graph[name].op.kind for name in paper.layers}
    assert kinds == {"conv", "linear"}
