"""Trace, prove, fold: the way from a model to a graph that can be trusted."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.parity import verify
from spikeport.convert.passes import cancel_views, fold_batch_norm
from spikeport.convert.tracing import trace_unproven


def trace(
    model: nn.Module,
    sample: Tensor,
    *,
    input_domain: Domain | str = Domain.REAL,
    fold: bool = True,
) -> Graph:
    """Trace a model with SpikingJelly neurons into a graph and prove it equal on a sample.

    The model is not changed: tracing and proof work on copies in eval mode, from rest.

    Args:
        model: with multi-step neurons (`step_mode="m"`).
        sample: `[B, C, H, W]` (a static image, repeated over time inside the model),
            `[T, B, C, H, W]` or `[B, T, C, H, W]`; which axis is time follows from the neurons.
        input_domain: what the input carries: event counts are `graded`, binarised events
            `spike`, images `real`. Declared, since values in a batch prove nothing.
        fold: fold batch norms into the layers before them (in float64).

    Returns:
        the graph; `graph.metadata["certificate"]` tells what was compared.

    Raises:
        UnsupportedError: something in the model cannot be carried; tells its module path.
        CheckFailed: the graph does not emit the model's spikes.
    """
    graph = cancel_views(trace_unproven(model, sample, input_domain=input_domain))
    if fold:
        graph = fold_batch_norm(graph)
    certificate = verify(graph, model, sample)
    graph.metadata["certificate"] = certificate.as_json()
    return graph
