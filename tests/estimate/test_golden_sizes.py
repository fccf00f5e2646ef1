"""Sizes of the event Max-Former against the record of the authors' own code."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Linear, MatMul, MeanTime
from spikeport.convert.tracing import trace_unproven
from spikeport.estimate import Tally, Term
from spikeport.train.models import create_model

GOLDEN = Path(__file__).parents[1] / "golden" / "event_max_former_t4_c10.manifest.json"


def test_multiply_accumulates_of_the_published_model() -> None:
    recorded = json.loads(GOLDEN.read_text())["macs_total"]
    model = create_model("max_former_event", num_classes=10).eval()
    graph = trace_unproven(model, torch.zeros(1, 4, 2, 128, 128), input_domain=Domain.GRADED)
    tally = Tally(graph)

    def per_step(*ops: type) -> int:
        return sum(
            tally.plans[node.name].per_step[Term.DENSE_PADDED]
            for node in graph
            if isinstance(node.op, ops)
        )

    assert any(isinstance(node.op, MeanTime) for node in graph)
    assert per_step(Conv, Linear) == recorded["conv_linear"]
    assert per_step(MatMul) == recorded["attention"]
    # The record runs the head once, behind the time mean; here its spikes count at each step.
    (head,) = (node for node in graph if isinstance(node.op, Linear))
    extra = 3 * tally.plans[head.name].per_step[Term.DENSE_PADDED]
    assert 4 * per_step(Conv, Linear, MatMul) - extra == recorded["all_T_per_sample"]
