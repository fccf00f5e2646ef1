"""Temporal sensitivity: what the order of the encoded time steps is worth to a network.

A definition of this project's; publications that use the word do not agree on one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Edit, Interpreter
from spikeport.core.errors import UsageError
from spikeport.estimate import AccuracyResult, accuracy
from spikeport.estimate.encoding import encoding_layer, goes_around
from spikeport.estimate.robustness.rows import CLEAN, Batch, Mean, Section, row_of
from spikeport.estimate.stats import statistics

MEASURE = "time"
ORDERS = 8
"""Permutations that are drawn, if nothing else is said."""

Order = tuple[int, ...]


def temporal_sensitivity(
    graph: Graph,
    batches: Callable[[str], Iterable[Batch]],
    steps: int,
    *,
    orders: int = ORDERS,
    layer: str | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Section:
    """The accuracy lost when the spikes of the encoding neurons are put in another order of time.

    The encoding neurons run as ever; the rest of the network is shown their outputs at step
    `order[t]` in place of those at step t, all neurons and samples in the same order. The
    sensitivity is the mean of `clean accuracy - accuracy` over permutations drawn without
    repetition from all but the identity; reversed time is a row of its own, whether drawn or not.

    Args:
        batches: what is run -> (frames as the graph takes them, labels `[B]`), the same each time.
        steps: number of time steps T of the encoding neurons.
        orders: permutations to draw; all T! - 1 where there are no more.
        layer: the encoding neurons by node or module path; the first neurons if not given.
        seed: of the permutations.

    Returns:
        rows clean, reversed, and one per permutation; the mean of the permutations' differences
        with its 95 % interval over the samples, for these permutations.

    Raises:
        UsageError: there is one time step only, or no permutation is asked for.
        UnknownNameError: there is no such layer.
    """
    node = encoding_layer(graph, layer)
    if steps < 2 or orders < 1:
        raise UsageError(
            f"{orders} orders of {steps} time steps were asked for.",
            where="temporal sensitivity",
            fix="Give two steps or more, and one order or more.",
        )
    base = accuracy(Interpreter(graph, dtype), batches("In order"))
    backwards = tuple(range(steps))[::-1]

    def run(order: Order) -> AccuracyResult:
        executor = Interpreter(graph, dtype, edits={node.name: _reordered(order)})
        return accuracy(executor, batches(f"Steps {order_name(order)}"))

    results = {order: run(order) for order in draw_orders(steps, orders, seed)}
    reverse = results[backwards] if backwards in results else run(backwards)
    rows = [
        row_of(MEASURE, CLEAN, base, base, unit="order"),
        row_of(MEASURE, "reversed", reverse, base, variant=order_name(backwards), unit="order"),
    ]
    for number, (order, result) in enumerate(results.items(), start=1):
        row = row_of(
            *(MEASURE, "permuted", result, base),
            variant=order_name(order),
            level=number,
            unit="order",
        )
        rows.append(row)
    around = (
        f"the input also reaches the output around {node.path or node.name}; what takes that way "
        "keeps its order"
    )
    notes = [f"order of the outputs of {node.path or node.name}"]
    if goes_around(graph, node):
        notes.append(around)
    return Section(MEASURE, tuple(rows), (_mean(base, list(results.values())),), tuple(notes))


def draw_orders(steps: int, count: int, seed: int) -> list[Order]:
    """Permutations of the time steps other than the identity, each once."""
    draw = np.random.default_rng(seed)
    possible = math.factorial(steps) - 1
    found: dict[Order, None] = {}
    while len(found) < min(count, possible):
        order = tuple(draw.permutation(steps).tolist())
        if order != tuple(range(steps)):
            found[order] = None
    return list(found)


def order_name(order: Order) -> str:
    """Steps counted from 1, such as "3 1 4 2"."""
    return " ".join(str(step + 1) for step in order)


def _reordered(order: Order) -> Edit:
    index = torch.tensor(order)

    def edit(spikes: torch.Tensor) -> torch.Tensor:
        if len(spikes) != len(order):
            raise UsageError(
                f"the encoding neurons run {len(spikes)} steps, the order is of {len(order)}.",
                where="steps",
                fix="Give the number of steps of the network.",
            )
        return spikes[index.to(spikes.device)]

    return edit


def _mean(base: AccuracyResult, results: list[AccuracyResult]) -> Mean:
    change = np.mean([result.hits for result in results], axis=0) - np.array(base.hits, float)
    spread = statistics(change)
    accuracy_mean = float(np.mean([result.top1 for result in results]))
    of = f"{len(results)} permutations"
    return Mean(of, accuracy_mean, spread.mean, spread.low, spread.high)
