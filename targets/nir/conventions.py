"""How NIR's continuous time is cut into steps.

NIR's neurons are differential equations, tau v' = (v_leak - v) + r x; a graph takes steps. One step
is `dt` seconds of one explicit Euler step,

    h = v + ((v_leak - v) + r x) dt / tau        (LIF)
    h = v + r x dt                               (IF)

and then fire and reset, as SpikingJelly, snnTorch and Norse do it. So tau steps are tau dt seconds;
an input that decays with the membrane (h = v + (x - (v - v_leak)) / tau) is r = 1, one that does
not (h = v - (v - v_leak) / tau + x) is r = tau / dt in steps, and an IF neuron, h = v + x, is
r = 1 / dt. That is what SpikingJelly writes and reads. A current with a time constant of its own
(`CubaLIF`) takes its step before the membrane, as in SpikingJelly, snnTorch and Norse.

Frameworks assume different steps: SpikingJelly 1e-4 s unless told otherwise, snnTorch 1e-4 s
always, Norse 1e-3 s unless told otherwise; sinabs writes time constants in steps, as with dt = 1.

NIR says z = 1 for v > v_threshold, and so do snnTorch and Norse; SpikingJelly, sinabs and a graph
fire on v >= v_threshold. Files of Spikeport hold the threshold as it is, as SpikingJelly's do, and
say in their metadata that they fire at it. A file that does not say so is read as NIR defines it.
The difference is the membrane that meets its threshold exactly.

NIR says nothing about the state before the first step. A membrane starts where it rests: at v_leak,
at v_reset where there is no leak, and currents at 0. All frameworks agree on that where v_leak and
v_reset are 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

DT = 1e-4
"""Seconds per time step, as SpikingJelly and snnTorch assume."""

_SHORT, _LONG = (6, 9, 12), (15, 16)
"""Decimal digits of numbers that people choose, and of others."""


def in_seconds(steps: Array, dt: float) -> Array:
    """A time constant in seconds."""
    return steps * dt


def in_steps(seconds: Any, dt: float) -> Array:
    """A time constant in time steps.

    The inverse of `in_seconds`: of the numbers of steps that give these seconds, the shortest.
    """
    return _inverted(np.asarray(seconds, dtype=np.float64), lambda v: v / dt, lambda v: v * dt)


def per_second(gain: Array, dt: float) -> Array:
    """The resistance of a neuron without leak that adds `gain` times its input per step."""
    return gain / dt


def per_step(resistance: Any, dt: float) -> Array:
    """What a neuron without leak multiplies its input with per step: undoes `per_second`."""
    return _inverted(np.asarray(resistance, dtype=np.float64), lambda v: v * dt, lambda v: v / dt)


def _inverted(
    values: Array, inverse: Callable[[float], float], forward: Callable[[float], float]
) -> Array:
    distinct, places = np.unique(values, return_inverse=True)
    found = [_simplest(float(value), inverse, forward) for value in distinct]
    return np.array(found, dtype=np.float64)[places].reshape(values.shape)


def _simplest(
    value: float, inverse: Callable[[float], float], forward: Callable[[float], float]
) -> float:
    rough = inverse(value)
    for digits in _SHORT:
        # 0.0003 s are 3 steps of 0.0001 s, though 3 x 0.0001 is another float64 than 0.0003.
        candidate = float(f"{rough:.{digits}g}")
        if abs(forward(candidate) - value) <= 2 * np.spacing(abs(value)):
            return candidate
    near = (float(np.nextafter(rough, to)) for to in (-np.inf, np.inf))
    for candidate in (*(float(f"{rough:.{digits}g}") for digits in _LONG), rough, *near):
        if forward(candidate) == value:
            return candidate
    return rough
