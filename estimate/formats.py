"""What files of results say about themselves, and their names."""

from __future__ import annotations

REPORT, NETWORK, EVALUATION = "report.json", "network.json", "evaluation.json"
SPECTRUM = "spectrum.json"
PREDICTIONS = "predictions.csv"
"""Names in a folder."""
REPORT_STAMP = ("spikeport-energy", 1)
NETWORK_STAMP = ("spikeport-network", 1)
EVALUATION_STAMP = ("spikeport-evaluation", 1)
BITS_STAMP = ("spikeport-bits", 1)
SPECTRUM_STAMP = ("spikeport-spectrum", 1)
COMPARISON_STAMP = ("spikeport-comparison", 1)
"""Format and version; a change that a reader would stumble over makes a new version."""
