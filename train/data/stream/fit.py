"""From the pixels of a sensor to the frames that a network reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data.recordings import MOST_PIXELS, Events

FITS = ("exact", "crop", "downsample")
Size = tuple[int, int]


@dataclass(frozen=True)
class Fit:
    """Which pixel of the network's frame counts an event.

    The pixel (x, y) of the sensor becomes ((x - left) width // w, (y - top) height // h), for a
    region of w x h pixels at (left, top); events outside of it are left out.

    Attributes:
        sensor, size: (width, height) of the sensor and of the frame.
        region: (left, top, w, h) on the sensor.
    """

    how: str
    sensor: Size
    size: Size
    region: tuple[int, int, int, int]

    def __str__(self) -> str:
        (width, height), (left, top, w, h) = self.size, self.region
        sensor = f"{self.sensor[0]} x {self.sensor[1]}"
        if self.how == "exact":
            return f"sensor {sensor}, as the network reads it"
        if self.how == "crop":
            return (
                f"sensor {sensor}, cropped to {width} x {height} pixels from ({left}, {top}); "
                "events outside are left out"
            )
        return (
            f"sensor {sensor}, downsampled to {width} x {height}: a pixel sums the events of "
            f"{w / width:.3g} x {h / height:.3g} pixels"
        )

    def places(self, events: Events) -> NDArray[np.int64]:
        """Index into a frame `[2, H, W]` (OFF, ON) of each event that lies inside of the region."""
        left, top, w, h = self.region
        width, height = self.size
        x, y = events["x"].astype(np.int64) - left, events["y"].astype(np.int64) - top
        p = events["p"].astype(np.int64)
        if self.how == "crop":
            inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
            x, y, p = x[inside], y[inside], p[inside]
        if (w, h) != self.size:
            x, y = x * width // w, y * height // h
        places: NDArray[np.int64] = (p * height + y) * width + x
        return places


def make_fit(how: str, sensor: Size | None, shape: tuple[int, ...]) -> Fit:
    """How a sensor is mapped to what a network reads.

    Args:
        how: "exact": as it is; "crop": the middle of the sensor; "downsample": the whole sensor,
            each axis by its own factor, events summed.
        sensor: (width, height); None if unknown, which "exact" takes to be the network's.
        shape: of the network's frames, `(2, H, W)`.

    Raises:
        UnknownNameError: there is no such way.
        UsageError: the sizes do not allow it, or the network reads other channels.
    """
    if how not in FITS:
        raise UnknownNameError("fit", how, FITS)
    if len(shape) != 3 or shape[0] != 2:
        raise UsageError(
            f"the network reads {list(shape)} at each step; events make frames [2, H, W], OFF and "
            "ON.",
            where="model",
            fix="Stream through a network that was trained on both polarities of events.",
        )
    size = (shape[2], shape[1])
    if sensor is None:
        if how != "exact":
            raise UsageError(
                "the recording does not state the size of its sensor.",
                where="--fit",
                fix="Give it: --sensor WIDTHxHEIGHT.",
            )
        sensor = size
    for width, height in (sensor, size):
        if width * height > MOST_PIXELS:
            raise UsageError(
                f"{width} x {height} pixels are more than any event camera has.",
                where="--sensor",
                fix=f"Give the size of the sensor that recorded the events, up to {MOST_PIXELS:,} "
                "pixels.",
            )
    if how == "exact" and sensor != size:
        raise UsageError(
            f"the sensor has {sensor[0]} x {sensor[1]} pixels, the network reads {size[0]} x "
            f"{size[1]}.",
            where="--fit",
            fix="Give --fit crop (the middle of the sensor) or --fit downsample (all of it).",
        )
    if sensor[0] < size[0] or sensor[1] < size[1]:
        raise UsageError(
            f"the sensor has {sensor[0]} x {sensor[1]} pixels, fewer than the {size[0]} x "
            f"{size[1]} that the network reads.",
            where="--fit",
            fix="Stream a larger sensor, or trace the model for this one.",
        )
    if how != "crop":
        return Fit(how, sensor, size, (0, 0, *sensor))
    left, top = (sensor[0] - size[0]) // 2, (sensor[1] - size[1]) // 2
    return Fit(how, sensor, size, (left, top, *size))


class FrameCounter:
    """Counts events into one frame, slice by slice.

    Attributes:
        events: added since the last frame was taken.
        outside: of these, how many lie outside of the region.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit = fit
        self._counts = self._zeros()
        self.events = self.outside = 0

    def add(self, events: Events) -> None:
        """Count a slice."""
        if not len(events):
            return
        places = self._fit.places(events)
        self._counts += np.bincount(places, minlength=len(self._counts))
        self.events += len(events)
        self.outside += len(events) - len(places)

    def take(self) -> NDArray[Any]:
        """The frame `[2, H, W]` of what was added, int64; begins the next one."""
        frame = self._counts.reshape(2, self._fit.size[1], self._fit.size[0])
        self._counts = self._zeros()
        self.events = self.outside = 0
        return frame

    def _zeros(self) -> NDArray[np.int64]:
        return np.zeros(2 * self._fit.size[0] * self._fit.size[1], np.int64)
