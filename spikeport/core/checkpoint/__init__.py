"""Other people's checkpoints, read safely: `load_checkpoint(model, path)`."""

from spikeport.core.checkpoint.loading import fill, load_checkpoint
from spikeport.core.checkpoint.misfit import Difference, MisfitError
from spikeport.core.checkpoint.report import CheckpointReport, Ignored, Loaded
from spikeport.core.checkpoint.weights import Weights, read_weights

__all__ = [
    "CheckpointReport",
    "Difference",
    "Ignored",
    "Loaded",
    "MisfitError",
    "Weights",
    "fill",
    "load_checkpoint",
    "read_weights",
]
