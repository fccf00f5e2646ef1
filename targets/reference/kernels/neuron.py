"""Neurons over all steps in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from spikeport.convert.ops import IF, LIF, Neuron, ParametricLIF
from spikeport.core.errors import UnsupportedError
from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.inference import emitter_for
from spikeport.targets.reference.kernels.base import (
    Extent,
    Kernel,
    Place,
    by_steps,
    implements,
    spread,
)
from spikeport.targets.reference.setting import Setting


class Stepping:
    """Step by step by the op's own equation; membranes in float32 at least."""

    def __init__(self, place: Place, setting: Setting) -> None:
        self.name, self.overwrites, self.fresh = "torch, step by step", (0,), True
        self._stepped, self._dtype, self._real = (
            place.inputs_stepped[0],
            setting.dtype,
            setting.real,
        )
        self._op: Neuron = place.node.op.cast(setting.real, setting.device)  # type: ignore[assignment]

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        currents = _steps(inputs[0], extent, self._stepped)
        fits = spare is not None and currents.dtype == self._dtype
        spikes = currents if fits else _like(currents, self._dtype)
        state = self._op.initial(currents[0].to(self._real))
        for step in range(extent.steps):
            state, fired = self._op.step(state, currents[step].to(self._real))
            spikes[step] = fired
        return spikes.flatten(0, 1)


@implements(Neuron)
def stepping(place: Place, setting: Setting) -> Kernel:
    _check_input(place)
    return Stepping(place, setting)


Emit = Callable[[Dynamics, Tensor, Tensor, float | None], None]
"""Writes the spikes `[T, ...]` of currents `[T, ...]`; see `Emitter`."""


class Fused:
    """One pass over memory: a block of membranes stays in the cache, or in registers, over all
    steps, and spikes take the place of currents that nothing reads any more."""

    def __init__(self, name: str, place: Place, setting: Setting, emit: Emit) -> None:
        self.name, self.overwrites, self.fresh = f"{name}, all steps fused", (0,), True
        self._stepped, self._dtype, self._emit = place.inputs_stepped[0], setting.dtype, emit
        found = dynamics_of(place.node.op, setting.real)
        assert found is not None
        self._dynamics, self._leak = found

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        currents = _steps(inputs[0], extent, self._stepped)
        if not torch.ops.aten.is_non_overlapping_and_dense(currents[0]):
            currents, spare = currents.contiguous(), 0
        packed = currents.stride(0) == currents[0].numel()
        fits = spare is not None and packed and currents.dtype == self._dtype
        spikes = currents if fits else _like(currents, self._dtype)
        self._emit(self._dynamics, currents, spikes, self._leak)
        return spikes.flatten(0, 1)


@implements(IF, LIF, ParametricLIF)
def fused(place: Place, setting: Setting) -> Kernel | None:
    _check_input(place)
    if dynamics_of(place.node.op, setting.real) is None:
        return None
    if setting.device.type == "cuda":
        emit = _on_gpu(setting)
        return None if emit is None else Fused("Triton", place, setting, emit)
    emitter = emitter_for(setting.real)
    if emitter is None or not emitter.serves(setting.dtype):
        return None
    return Fused("C", place, setting, emitter)


def _on_gpu(setting: Setting) -> Emit | None:
    """None where Triton is not installed (it comes with PyTorch on Linux)."""
    try:
        from spikeport.targets.reference.kernels import triton_neuron
    except ImportError:
        return None
    return partial(triton_neuron.emit, real=setting.real)


def dynamics_of(op: object, real: torch.dtype) -> tuple[Dynamics, float | None] | None:
    """The equation of a neuron with one threshold and one time constant, and its learnt leak."""
    if type(op) is IF:
        return _dynamics(op, Charge.INTEGRATE, True, 1.0), None
    if type(op) is LIF:
        return _dynamics(op, Charge.LEAK_DIVIDE, op.decay_input, op.tau), None
    if type(op) is ParametricLIF and op.weight.numel() == 1:
        leak = float(op.weight.to(real).sigmoid())
        return _dynamics(op, Charge.LEAK_MULTIPLY, op.decay_input, 1.0), leak
    return None


def _dynamics(op: IF | LIF | ParametricLIF, charge: Charge, decay: bool, tau: float) -> Dynamics:
    return Dynamics(
        charge=charge,
        decay_input=decay,
        tau=float(tau),
        threshold=float(op.v_threshold),
        reset=None if op.v_reset is None else float(op.v_reset),
        detach_reset=True,
        surrogate=None,
    )


def _steps(x: Tensor, extent: Extent, stepped: bool) -> Tensor:
    return by_steps(x, extent) if stepped else spread(x, extent)


def _like(currents: Tensor, dtype: torch.dtype) -> Tensor:
    """Room for spikes `[T, B, ...]`, laid out as one step of the currents, steps end to end."""
    one = currents[0]
    strides = (one.numel(), *one.stride())
    if not torch.ops.aten.is_non_overlapping_and_dense(one):
        return torch.empty(currents.shape, dtype=dtype, device=currents.device)
    return torch.empty_strided(currents.shape, strides, dtype=dtype, device=currents.device)


def _check_input(place: Place) -> None:
    if not place.node.per_step:
        raise UnsupportedError(
            "this neuron reads a value without time axis.",
            where=place.node.path or place.node.name,
            fix="Repeat the input over the time steps before it.",
        )
