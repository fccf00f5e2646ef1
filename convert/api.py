"""Trace, prove, fold: the way from a model to a graph that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.parity import to_graph_layout, verify
from spikeport.convert.passes import run_passes
from spikeport.convert.seal import seal
from spikeport.convert.tracing import check_sample, trace_unproven
from spikeport.core.errors import UnknownNameError, UsageError

_ALWAYS = ("remove-dead", "cancel-views")


def trace(
    model: nn.Module,
    sample: Tensor,
    *,
    layout: str | None = None,
    steps: int | None = None,
    input_domain: Domain | str = Domain.REAL,
    fold: bool = True,
    passes: Sequence[str] = (),
) -> Graph:
    """Trace a model with SpikingJelly neurons into a graph and prove it equal on a sample.

    The model is not changed: tracing and proof work on copies in eval mode, from rest.

    Args:
        model: with multi-step neurons (`step_mode="m"`), or all neurons in single-step mode: then
            it is one time step, and the graph runs it T times, as the user's own loop does.
        sample: `[B, C, H, W]` (a static image, repeated over time inside the model or, with
            `steps`, by the user's loop), `[T, B, C, H, W]` or `[B, T, C, H, W]`, also without H or
            W. Which axis is time follows from the neurons; sizes are never guessed from.
        layout: "TBCHW", "BTCHW" or "BCHW": which axes of the sample are time and batch, where that
            is open (single-step models that take features of any shape). Checked otherwise.
        steps: T of a single-step model that is shown a static image. Checked otherwise.
        input_domain: what the input carries: event counts are `graded`, binarised events
            `spike`, images `real`. Declared, since values in a batch prove nothing.
        fold: fold batch norms into the layers before them (in float64).
        passes: names of further passes, such as `hoist-static` or `merge-identical`, run in this
            order; each is verified on the first sample before the next one runs.

    Returns:
        the graph; `graph.metadata["certificate"]` tells what was compared. The comparison is made
        once more with another number of samples and, if T is open, one time step more.

    Raises:
        UsageError: the sample is empty, not finite, not of the declared domain, or can be read in
            several ways.
        UnsupportedError: something in the model cannot be carried; tells its module path.
        CheckFailed: the graph does not emit the model's spikes.
    """
    if input_domain not in set(Domain):
        raise UnknownNameError("domain", str(input_domain), [str(domain) for domain in Domain])
    _check_domain(check_sample(sample), Domain(input_domain))
    graph = trace_unproven(model, sample, input_domain=input_domain, layout=layout, steps=steps)
    folding = ["fold-batch-norm"] if fold else []
    graph = run_passes(
        graph, [*_ALWAYS, *folding, *passes], _one_of(to_graph_layout(graph, sample), graph)
    )
    certificate = verify(model, graph, sample)
    verify(model, graph, _of_another_size(graph, sample))
    graph.metadata["source"] = {"class": f"{type(model).__module__}.{type(model).__qualname__}"}
    seal(graph, certificate)
    return graph


def _one_of(frames: Tensor, graph: Graph) -> Tensor:
    """The first sample alone."""
    return frames.narrow(1 if graph.input.per_step else 0, 0, 1)


def _check_domain(sample: Tensor, domain: Domain) -> None:
    contradicts = {
        Domain.SPIKE: lambda: bool(((sample != 0) & (sample != 1)).any()),
        Domain.GRADED: lambda: bool((sample != sample.round()).any()),
    }
    if domain in contradicts and contradicts[domain]():
        raise UsageError(
            f"the sample holds values that are not of the declared domain {domain}.",
            where="sample",
            fix="Declare graded for whole numbers, real for anything else, or give other data.",
        )


def _of_another_size(graph: Graph, sample: Tensor) -> Tensor:
    """Another number of recordings and, unless T is fixed, one more time step.

    A size that got stuck in the graph shows only where it changes. Two recordings, or three: a
    batch of one is a size of its own to `torch.export`, and to models that squeeze.
    """
    time = graph.metadata["time_axis"]
    batch = 1 if time == 0 else 0
    count = 3 if sample.shape[batch] == 2 else 2
    chosen = torch.arange(count) % sample.shape[batch]
    other = sample.index_select(batch, chosen)
    if time is None or graph.metadata["fixed_steps"] is not None:
        return other
    return torch.cat([other, other.narrow(time, 0, 1)], time)
