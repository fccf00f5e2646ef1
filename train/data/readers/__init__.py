"""Event files of many formats, read into one structured array: `read_events(path)`."""

from spikeport.train.data.readers import (  # noqa: F401  fills READERS
    aedat2,
    aedat3,
    aedat4,
    arrays,
    hdf5,
    nmnist,
    prophesee,
    tables,
)
from spikeport.train.data.readers.files import EventFile, EventStream, read_events, stream_events
from spikeport.train.data.readers.registry import READERS, RawStream, Reader

__all__ = [
    "READERS",
    "EventFile",
    "EventStream",
    "RawStream",
    "Reader",
    "read_events",
    "stream_events",
]
