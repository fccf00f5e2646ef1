"""A share of the training split that is held out of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import UsageError

_STREAM = 1


def held_out(
    labels: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices to train on, and indices to validate on, both ascending.

    Of each class the same share is held out, rounded to whole samples; which ones depends on the
    seed and the labels only.

    Raises:
        UsageError: a class would have none left to train on or none held out.
    """
    if not share:
        return np.arange(len(labels)), np.arange(0)
    trained, kept = [], []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = round(share * len(members))
        if not 0 < count < len(members):
            raise UsageError(
                f"a share of {share} of the {len(members)} samples of class {label} leaves none "
                f"{'to train on' if count else 'held out'}.",
                where="data.validation",
                fix="Hold out another share.",
            )
        order = np.random.default_rng([seed, _STREAM, int(label)]).permutation(members)
        kept.append(order[:count])
        trained.append(order[count:])
    return np.sort(np.concatenate(trained)), np.sort(np.concatenate(kept))
