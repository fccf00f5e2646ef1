"""Executors in pairs: how often they answer alike, and whether one is right more often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from spikeport.estimate.evaluation.answers import AccuracyResult
from spikeport.estimate.paired import Paired, paired
from spikeport.estimate.stats import Share


@dataclass(frozen=True)
class Agreement:
    """Two executors on the same samples.

    Attributes:
        same: samples to which both give the same answer.
        change: the second against the first.
    """

    first: str
    second: str
    same: Share
    change: Paired


def agreements(results: Mapping[str, AccuracyResult]) -> tuple[Agreement, ...]:
    """Each pair once, in the order of the results."""
    return tuple(
        Agreement(
            first,
            second,
            results[second].same(results[first]),
            paired(results[first].hits, results[second].hits),
        )
        for first, second in combinations(results, 2)
    )
