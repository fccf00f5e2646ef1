"""One recording, disturbed: the same for every order in which recordings are asked for."""

from __future__ import annotations

import zlib

import numpy as np

from spikeport.core.errors import UsageError
from spikeport.train.data.frame_dataset import FrameDataset
from spikeport.train.data.frames import Counts, Framing, to_frames
from spikeport.train.data.perturb.registry import HOT_RATE, PERTURBATIONS, Setting
from spikeport.train.data.recordings import EVENT_DTYPE, Events, RawEvents


def perturb(events: Events, name: str, level: float, setting: Setting, index: int) -> Events:
    """Disturb one recording.

    Random numbers follow from the seed, the kind of disturbance and the index of the recording, not
    from the level: the events that are lost at one level are lost at higher ones too, so that
    levels can be compared in pairs.

    Args:
        events: `EVENT_DTYPE`, in order of time.
        name: a key of `PERTURBATIONS`.
        level: in the unit of the disturbance; at its clean level the events come back as they are.
        index: of the recording in its data set.

    Returns:
        events on the sensor in order of time; those of one time keep their order.

    Raises:
        UnknownNameError: no disturbance has this name.
        UsageError: the level has no meaning.
    """
    entry = PERTURBATIONS[name]
    entry.check(name, level)
    if level == entry.clean:
        return events
    rng = np.random.default_rng([setting.seed, zlib.crc32(name.encode()), index])
    changed = entry.apply(events, level, rng, setting)
    _check(name, changed, setting)
    return changed[np.argsort(changed["t"], kind="stable")]


def perturbed_frames(
    data: FrameDataset,
    index: int,
    name: str,
    level: float,
    *,
    framing: Framing,
    seed: int = 0,
    hot_rate: float = HOT_RATE,
) -> Counts:
    """Frames `[T, 2, H, W]` of recording `index`, disturbed before it is framed.

    At the clean level they equal `data.frames[index]`, if `framing` is that of the data.

    Raises:
        UsageError: the data are not made of recordings; see also `perturb`.
    """
    recordings = recordings_of(data)
    setting = Setting(recordings.sensor_size, seed, hot_rate)
    events = perturb(recordings[index], name, level, setting, index)
    return to_frames(events, recordings.sensor_size, data.frame_shape[0], framing)


def recordings_of(data: FrameDataset) -> RawEvents:
    """What the frames were made of.

    Raises:
        UsageError: nothing is known of it.
    """
    if data.events is None:
        raise UsageError(
            "these data are frames without recordings, so that no event of them can be disturbed.",
            where=data.name,
            fix="Use data of recordings, such as digits or folder:PATH.",
        )
    return data.events


def _check(name: str, events: Events, setting: Setting) -> None:
    """A disturbance that leaves the sensor would be framed wrongly: an error of its author."""
    width, height, _ = setting.sensor_size
    x, y = events["x"], events["y"]
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    if events.dtype != EVENT_DTYPE or outside.any():
        raise ValueError(f"perturbation {name!r} gives {events.dtype}, {outside.sum()} outside")
