"""Passes: pure functions from graph to graph, one per file."""

from __future__ import annotations

from collections.abc import Callable

from spikeport.convert.graph import Graph
from spikeport.convert.passes.cancel_views import cancel_views
from spikeport.convert.passes.fold_batch_norm import fold_batch_norm
from spikeport.core.registry import Registry

Pass = Callable[[Graph], Graph]

PASSES: Registry[Pass] = Registry("pass", "spikeport.passes", lambda _, entry: callable(entry))
PASSES.add("cancel-views", cancel_views)
PASSES.add("fold-batch-norm", fold_batch_norm)

__all__ = ["PASSES", "Pass", "cancel_views", "fold_batch_norm"]
