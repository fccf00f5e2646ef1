"""Products of whole numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Counts = npt.NDArray[np.int64]


def exact_product(left: Counts, right: Counts) -> Counts:
    """left^T right `[I, K]` of counts `[B, I]` and `[B, K]`: exact while all sums are below 2^53.

    By torch. numpy's matrix product leaves a thread of OpenBLAS spinning that takes a whole core
    from whatever runs next: the network, or the process that counts beside this one.
    """
    columns, rows = (torch.from_numpy(each.astype(np.float64)) for each in (left, right))
    product: Counts = (columns.T @ rows).to(torch.int64).numpy()
    return product
