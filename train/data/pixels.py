"""An array of event-camera pixels looking at moving images.

Each pixel remembers a log intensity and fires when the present one differs from it by more than
its threshold: ON upwards, OFF downwards (Lichtsteiner et al., IEEE JSSC 43:566, 2008). After an
event it is blind for the refractory period, then remembers what it sees. Only exactly rounded
arithmetic and a table of logarithms are used, so the events are the same on every machine and do
not depend on how recordings are grouped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.train.data.recordings import Recordings, offsets_of

Float = NDArray[np.float32]


@dataclass(frozen=True)
class PixelSettings:
    """The sensor.

    Attributes:
        size: pixels along each side.
        threshold: change of log intensity that makes an event (natural logarithm).
        mismatch: standard deviation of the threshold between pixels, relative.
        refractory_us: blind time of a pixel after an event, in us.
        noise_hz: rate of background events of a pixel, per second.
        background: intensity of black, where white is 1 more.
        step_us: time step of the simulation in us; times are interpolated within it.
    """

    size: int = 32
    threshold: float = 0.3
    mismatch: float = 0.05
    refractory_us: int = 1_000
    noise_hz: float = 0.5
    background: float = 0.15
    step_us: int = 5_000


@dataclass(frozen=True)
class Thresholds:
    """ON and OFF thresholds of every pixel, `[size * size]`, fixed for the life of a sensor."""

    on: Float
    off: Float

    @classmethod
    def draw(cls, settings: PixelSettings, rng: np.random.Generator) -> Thresholds:
        # Clipped at 4 standard deviations: a pixel with a threshold near zero would never rest.
        spread = np.clip(rng.standard_normal((2, settings.size**2)), -4, 4) * settings.mismatch
        return cls(*(settings.threshold * (1 + spread)).astype(np.float32))


class PixelArray:
    """Pixels in front of `[N, h, w]` uint8 images that move along `[N, S + 1, 2]` paths (pixels).

    Args:
        rngs: one generator for each recording, for its initial memory and its noise.
    """

    _LEVELS = 4096

    def __init__(
        self,
        images: NDArray[np.uint8],
        paths: Float,
        thresholds: Thresholds,
        settings: PixelSettings,
        rngs: list[np.random.Generator],
    ) -> None:
        self._settings, self._paths = settings, paths
        self._count, pixels = len(images), settings.size**2
        self._log = np.array(
            [math.log(settings.background + i / self._LEVELS) for i in range(self._LEVELS + 1)],
            dtype=np.float32,
        )
        reach = math.ceil(float(np.abs(paths).max(initial=0))) + 1
        margin = (settings.size - images.shape[1]) // 2 + reach
        frame = ((0, 0), (margin, margin), (margin, margin))
        padded = np.pad(images, frame).astype(np.float32) * np.float32(self._LEVELS / 255)
        side = settings.size + 1
        self._windows = np.lib.stride_tricks.sliding_window_view(
            padded,
            (side, side),
            axis=(1, 2),  # type: ignore[call-overload]
        )
        self._reach = reach
        self._on, self._off = (
            np.tile(threshold, self._count) for threshold in (thresholds.on, thresholds.off)
        )
        self._level = self._see(0)
        memory = np.stack([rng.random(pixels, np.float32) for rng in rngs]).ravel()
        self._memory = self._level + (2 * memory - 1) * np.minimum(self._on, self._off)
        self._ready = np.full(self._count * pixels, -1, np.float32)
        self._rngs = rngs

    def record(self) -> Recordings:
        """Run all steps and return the events, in order of time."""
        fired = [self._advance(step) for step in range(1, self._paths.shape[1])]
        pixel, time, on = (np.concatenate(part) for part in zip(*fired, strict=True))
        return self._ordered(*self._with_noise(pixel, time.astype(np.int64), on))

    def _see(self, step: int) -> Float:
        """Log intensity at every pixel, `[N * size * size]`, with bilinear interpolation."""
        # The image moving right by s means that pixel x sees what was at x - s.
        corner = self._reach - self._paths[:, step]
        whole = np.floor(corner).astype(np.intp)
        right, down = (corner - whole).astype(np.float32).T[:, :, None, None]
        window = self._windows[np.arange(self._count), whole[:, 1], whole[:, 0]]
        rows = window[:, :-1] + down * (window[:, 1:] - window[:, :-1])
        light = rows[:, :, :-1] + right * (rows[:, :, 1:] - rows[:, :, :-1])
        levels: Float = self._log[(light + np.float32(0.5)).astype(np.intp).ravel()]
        return levels

    def _advance(self, step: int) -> tuple[NDArray[np.intp], Float, NDArray[np.bool_]]:
        """One step of the light: the pixels that fired, when (us), and whether ON."""
        length = np.float32(self._settings.step_us)
        start, end = (step - 1) * length, step * length
        before, now = self._level, self._see(step)
        self._level = now
        blind = np.flatnonzero(self._ready > start)
        self._memory[blind] = _between(before, now, (self._ready[blind] - start) / length, blind)
        change = now - self._memory
        live = np.flatnonzero(((change >= self._on) | (change <= -self._off)) & (self._ready < end))
        pixels, times, signs = [live[:0]], [self._ready[:0]], [change[:0] > 0]
        while len(live):
            on = now[live] > self._memory[live]
            crossed = self._memory[live] + np.where(on, self._on[live], -self._off[live])
            slope = now[live] - before[live]
            share = np.divide(
                crossed - before[live], slope, out=np.zeros_like(slope), where=slope != 0
            )
            # Whole microseconds, and never before the pixel is ready.
            at = np.floor(start + length * np.clip(share, 0, 1))
            at = np.clip(at, np.maximum(start, self._ready[live]), end - 1)
            pixels.append(live)
            times.append(at)
            signs.append(on)
            self._ready[live] = at + np.float32(self._settings.refractory_us)
            self._memory[live] = _between(before, now, (self._ready[live] - start) / length, live)
            change = now[live] - self._memory[live]
            again = (change >= self._on[live]) | (change <= -self._off[live])
            live = live[again & (self._ready[live] < end)]
        return np.concatenate(pixels), np.concatenate(times), np.concatenate(signs)

    def _with_noise(
        self, pixel: NDArray[np.intp], time: NDArray[np.int64], on: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.bool_]]:
        """Add background events, except where the pixel is blind or about to fire."""
        pixels = self._settings.size**2
        duration = (self._paths.shape[1] - 1) * self._settings.step_us
        mean = self._settings.noise_hz * pixels * duration * 1e-6
        noise = [
            rng.integers(0, [[pixels], [duration], [2]], (3, rng.poisson(mean)))
            for rng in self._rngs
        ]
        first = np.repeat(np.arange(self._count) * pixels, [drawn.shape[1] for drawn in noise])
        where, when, sign = np.concatenate(noise, axis=1)
        # Sorted by pixel, then time; the two lowest bits carry the sign and "is noise".
        key = np.concatenate(
            [_pack(pixel, time, on) << 1, (_pack(where + first, when, sign) << 1) | 1]
        )
        key.sort()
        stamp = key >> 2
        near = np.diff(stamp) < self._settings.refractory_us
        close = np.zeros(len(key), bool)
        close[1:] |= near
        close[:-1] |= near
        key = key[~(close & (key & 1 == 1))] >> 1
        return key >> (_TIME_BITS + 1), (key >> 1) & _TIME_MASK, (key & 1).astype(bool)

    def _ordered(
        self, pixel: NDArray[np.intp], time: NDArray[np.int64], on: NDArray[np.bool_]
    ) -> Recordings:
        size = self._settings.size
        recording, place = np.divmod(pixel, size * size)
        key = ((recording << _TIME_BITS | time) * (size * size) + place) << 1 | on
        key.sort()
        stamp, place = np.divmod(key >> 1, size * size)
        lengths = np.bincount(stamp >> _TIME_BITS, minlength=self._count)
        side = np.min_scalar_type(size - 1)
        return Recordings(
            x=(place % size).astype(side),
            y=(place // size).astype(side),
            t=(stamp & _TIME_MASK).astype(np.int32),
            p=(key & 1).astype(bool),
            offsets=offsets_of(lengths),
        )


# Room for 8 s, twenty times the length of a recording, and far apart pixels.
_TIME_BITS = 23
_TIME_MASK = (1 << _TIME_BITS) - 1


def _pack(
    pixel: NDArray[np.intp], time: NDArray[np.int64], on: NDArray[np.generic]
) -> NDArray[np.int64]:
    packed: NDArray[np.int64] = (pixel << _TIME_BITS | time) << 1 | on.astype(np.int64)
    return packed


def _between(before: Float, now: Float, share: Float, where: NDArray[np.intp]) -> Float:
    """Log intensity at `share` (0 to 1, clipped) of the step, at the pixels `where`."""
    seen: Float = before[where] + np.minimum(share, np.float32(1)) * (now[where] - before[where])
    return seen
