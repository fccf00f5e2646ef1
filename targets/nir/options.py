"""What can be chosen about the lowering to NIR."""

from __future__ import annotations

from pydantic import Field

from spikeport.targets.nir.conventions import DT
from spikeport.targets.options import TargetOptions


class NirOptions(TargetOptions):
    """Options of `lower`.

    Args:
        dt: seconds per time step. The importers of SpikingJelly and snnTorch assume 1e-4.
        expand_residuals: write a sum that several nodes read as edges from each summand to each of
            them; refused otherwise, since NIR has no sum of its own.
        extensions: write what NIR has no primitive for as nodes of Spikeport's own, which only
            Spikeport reads; `nir.read` fails on such a file.
    """

    dt: float = Field(default=DT, gt=0, allow_inf_nan=False)
    expand_residuals: bool = False
    extensions: bool = False
