"""Disturbances of event recordings, applied before framing: `perturb(...)` and `PERTURBATIONS`."""

from spikeport.train.data.perturb import (  # noqa: F401  fills PERTURBATIONS
    drop,
    flip,
    hot_pixels,
    noise,
    resolution,
    spatial_jitter,
    time_jitter,
)
from spikeport.train.data.perturb.apply import perturb, perturbed_frames
from spikeport.train.data.perturb.registry import PERTURBATIONS, Perturbation, Setting

__all__ = ["PERTURBATIONS", "Perturbation", "Setting", "perturb", "perturbed_frames"]
