"""Token mixers, one class each, by name."""

from spikeport.train.models.mixers import (  # noqa: F401  (fills the registry)
    dwc,
    fourier,
    identity,
    pool,
    qk_token,
    sdsa,
    ssa,
    ssa_dwc,
)
from spikeport.train.models.mixers.registry import MIXERS, MixerEntry

__all__ = ["MIXERS", "MixerEntry"]
