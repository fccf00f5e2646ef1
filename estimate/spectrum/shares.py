"""Power per frequency of one edge, and how much of it is high, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch import Tensor

from spikeport.estimate.spectrum.grids import Floats, Grid


@dataclass(eq=False)
class Shares:
    """High-frequency shares of the samples seen, in their order: 8 bytes per sample.

    A share is high power / power without DC, over all time steps and channels of the sample. A
    sample without power other than DC (a silent layer) has none: NaN.
    """

    grid: Grid
    parts: list[Floats] = field(default_factory=list)

    def add(self, power: Tensor) -> None:
        """Power of each sample, `[B, *frequencies]`, float64.

        Raises:
            ValueError: a power is not finite.
        """
        weighted = power.cpu().numpy() * self.grid.weights
        if not np.isfinite(weighted).all():
            raise ValueError("NaN or infinity")
        high, moving = (weighted[:, mask].sum(1) for mask in (self.grid.high, self.grid.moving))
        with np.errstate(invalid="ignore"):
            self.parts.append(np.where(moving > 0, high / moving, np.nan))

    @property
    def values(self) -> Floats:
        """`[samples]`, NaN for those without power; all NaN where the grid tells nothing."""
        values: npt.NDArray[np.float64] = np.concatenate([np.zeros(0), *self.parts])
        return values if self.grid.tells else np.full_like(values, np.nan)
