"""Passes: pure functions from graph to graph, one per file, each verified after it ran."""

from __future__ import annotations

from spikeport.convert.passes.cancel_views import cancel_views
from spikeport.convert.passes.fold_batch_norm import fold_batch_norm
from spikeport.convert.passes.hoist_static import hoist_static
from spikeport.convert.passes.merge_identical import merge_identical
from spikeport.convert.passes.pipeline import run_passes
from spikeport.convert.passes.registry import PASSES, Pass
from spikeport.convert.passes.remove_dead import remove_dead
from spikeport.convert.passes.split_groups import split_groups

PASSES.add("cancel-views", cancel_views)
PASSES.add("fold-batch-norm", fold_batch_norm)
PASSES.add("hoist-static", hoist_static)
PASSES.add("merge-identical", merge_identical)
PASSES.add("remove-dead", remove_dead)
PASSES.add("split-groups", split_groups)

__all__ = [
    "PASSES",
    "Pass",
    "cancel_views",
    "fold_batch_norm",
    "hoist_static",
    "merge_identical",
    "remove_dead",
    "run_passes",
    "split_groups",
]
