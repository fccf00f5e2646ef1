"""Events as they arrive: packets, windows of them, and frames of the size that a network reads."""

from spikeport.train.data.stream.fit import FITS, Fit, FrameCounter, make_fit
from spikeport.train.data.stream.source import CheckedSource, EventSource, FileSource
from spikeport.train.data.stream.windows import (
    ByCount,
    ByTime,
    Slice,
    cut,
    parse_duration,
    parse_window,
)

__all__ = [
    "FITS",
    "ByCount",
    "ByTime",
    "CheckedSource",
    "EventSource",
    "FileSource",
    "Fit",
    "FrameCounter",
    "Slice",
    "cut",
    "make_fit",
    "parse_duration",
    "parse_window",
]
