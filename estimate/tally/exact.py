"""Products of whole numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Counts = npt.NDArray[np.int64]


def exact_product(left: Counts, right: Counts) -> Counts:
    """left^T right `[I, K]` of counts `[B, I]` and `[B, K]`: exact while all sums are below 2^53.

    By torch on one thread. Products as small as these gain nothing from more, and threads that wait
    for each other (or, in numpy's OpenBLAS, for more to do) take a whole core from whatever runs
    beside: the network, or the processes whose counts are added up here.
    """
    columns, rows = (torch.from_numpy(each.astype(np.float64)) for each in (left, right))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        product: Counts = (columns.T @ rows).to(torch.int64).numpy()
    finally:
        torch.set_num_threads(threads)
    return product
