"""Cameras as event sources of `spikeport.stream`, a few lines each.

They take what the camera's own library gives, so that this file needs neither:

    from metavision_core.event_io import EventsIterator
    source = Metavision(EventsIterator(input_path="", delta_t=10000))

    import dv_processing as dv
    source = DV(dv.io.CameraCapture())

    for prediction in spikeport.stream(source, graph, "20ms", speed="real", fit="downsample"):
        print(prediction.end_us, prediction.label)
"""

import time


class Metavision:
    """A camera or RAW file of Prophesee: the iterator yields arrays with x, y, p, t already."""

    def __init__(self, iterator):
        self._iterator = iterator
        height, width = iterator.get_size()
        self.sensor_size = (width, height)

    def packets(self):
        yield from self._iterator


class DV:
    """A camera of iniVation: batches are polled, and call their fields by other names."""

    def __init__(self, capture):
        self._capture = capture
        self.sensor_size = tuple(capture.getEventResolution())

    def packets(self):
        while self._capture.isRunning():
            batch = self._capture.getNextEventBatch()
            if batch is None:
                time.sleep(0.001)
                continue
            events = batch.numpy()
            ours = {"timestamp": "t", "polarity": "p"}
            names = [ours.get(name, name) for name in events.dtype.names]
            events.dtype.names = tuple(names)
            yield events
