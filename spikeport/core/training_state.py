"""By what a training state is known: to readers, too, that need no torch."""

from __future__ import annotations

STATE_FILE = "state.safetensors"
"""Its name in the folder of a run."""
STATE_KEY = "spikeport.training"
"""Metadata key under which it says what it is."""
