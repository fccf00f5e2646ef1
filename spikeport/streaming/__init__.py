"""Predictions while events arrive: windows of events in, scores and latencies out."""

from spikeport.streaming.clock import Clock, WallClock
from spikeport.streaming.loop import Stream, stream
from spikeport.streaming.results import Prediction, Summary
from spikeport.streaming.state import StateRule

__all__ = ["Clock", "Prediction", "StateRule", "Stream", "Summary", "WallClock", "stream"]
