"""What can go wrong while onnxruntime runs."""

from __future__ import annotations

from spikeport.core.errors import SpikeportError


class OnnxRunError(SpikeportError):
    """onnxruntime refused a model or failed while it ran."""
