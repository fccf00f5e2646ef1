"""Event data by name: `open_data("NAME[:PATH]", split, steps=...)`."""

from spikeport.train.data.frame_dataset import FrameDataset
from spikeport.train.data.named import DATA, DataEntry, open_data

__all__ = ["DATA", "DataEntry", "FrameDataset", "open_data"]
