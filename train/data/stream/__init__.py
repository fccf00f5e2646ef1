"""Events as they arrive: packets, windows of them, and frames of the size that a network reads."""

from spikeport.train.data.stream.fit import FITS, Fit, FrameCounter, make_fit
from spikeport.train.data.stream.source import EventSource, FileSource, checked_packets
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
    "EventSource",
    "FileSource",
    "Fit",
    "FrameCounter",
    "Slice",
    "checked_packets",
    "cut",
    "make_fit",
    "parse_duration",
    "parse_window",
]
