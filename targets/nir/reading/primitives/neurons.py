"""Neurons, as the simplest op that says the same."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops import (
    IF,
    LIF,
    ChannelNeuron,
    EulerNeuron,
    Integrator,
    MaxPool,
    Op,
    SumPool,
    Threshold,
)
from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.conventions import Array, in_steps, per_step
from spikeport.targets.nir.reading.context import PRIMITIVES, Building
from spikeport.targets.nir.reading.fields import Fields

PARAMETERS = frozenset(
    {"tau", "tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in", "threshold"}
)


def compact(value: Array) -> Tensor:
    """A parameter without the axes along which it is the same: [C, H, W] to [C, 1, 1] or [1]."""
    for axis in range(value.ndim):
        first = value.take([0], axis)
        if np.array_equal(np.broadcast_to(first, value.shape), value):
            value = first
    if value.size == 1:
        return torch.from_numpy(value.reshape(1).copy())
    return torch.from_numpy(np.ascontiguousarray(value))


def check_shapes(building: Building, node: Fields, source: str) -> None:
    """Check that parameters are one per neuron, or one for all.

    Raises:
        FileError: they differ between neurons, and it is not clear between which.
    """
    shape = building.graph[source].shape
    for key in node.given.keys() & PARAMETERS:
        value = node.array(key)
        if _uniform(value) is None and value.ndim != len(shape):
            raise node.refuse(f"{key!r} has shape {list(value.shape)}, its input {list(shape)}")


def _uniform(value: Array) -> float | None:
    return (
        float(value.reshape(-1)[0]) if value.size and bool((value == value.flat[0]).all()) else None
    )


def _like(left: Array, right: Array, rounding: float) -> bool:
    """Whether two parameters are meant to be equal."""
    return bool(np.allclose(left, right, rtol=rounding, atol=0.0))


@PRIMITIVES.register("IF")
def read_if(building: Building, node: Fields, source: str) -> None:
    """v' = r x."""
    node.only(("r", "v_threshold", "v_reset"))
    check_shapes(building, node, source)
    gain = gain_without_leak(building, node)
    threshold, reset = node.array("v_threshold"), node.array("v_reset", 0.0)
    plain = _like(gain, np.ones_like(gain), node.rounding("r"))
    level, rest = _uniform(threshold), _uniform(reset)
    op: Op
    if building.strict or not plain or rest is None:
        op = EulerNeuron(
            None, compact(gain), torch.zeros(1, dtype=torch.float64),
            compact(threshold), compact(reset), building.strict,
        )  # fmt: skip
    elif level is not None:
        op = IF(level, rest)
    else:
        op = ChannelNeuron(None, None, True, compact(threshold), rest)
    building.add(node.name, op, source)


@PRIMITIVES.register("LIF")
def read_lif(building: Building, node: Fields, source: str) -> None:
    """tau v' = (v_leak - v) + r x."""
    node.only(("tau", "r", "v_leak", "v_threshold", "v_reset"))
    check_shapes(building, node, source)
    building.add(node.name, leaky(building, node, "tau"), source)


@PRIMITIVES.register("CubaLIF")
def read_cuba_lif(building: Building, node: Fields, source: str) -> None:
    """tau_syn i' = -i + w_in x; tau_mem v' = (v_leak - v) + r i: the current first."""
    node.only(("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"))
    check_shapes(building, node, source)
    current = building.free(f"{node.name}.current")
    building.add(current, synapse(building, node), source)
    building.add(node.name, leaky(building, node, "tau_mem"), current)


@PRIMITIVES.register("I")
def read_i(building: Building, node: Fields, source: str) -> None:
    """v' = r x."""
    node.only(("r",))
    check_shapes(building, node, source)
    zero = torch.zeros(1, dtype=torch.float64)
    op = Integrator(None, compact(gain_without_leak(building, node)), zero)
    building.add(node.name, op, source)


@PRIMITIVES.register("LI")
def read_li(building: Building, node: Fields, source: str) -> None:
    """tau v' = (v_leak - v) + r x."""
    node.only(("tau", "r", "v_leak"))
    check_shapes(building, node, source)
    building.add(node.name, integrator(building, node, "tau"), source)


@PRIMITIVES.register("CubaLI")
def read_cuba_li(building: Building, node: Fields, source: str) -> None:
    """tau_syn i' = -i + w_in x; tau_mem v' = (v_leak - v) + r i: the current first."""
    node.only(("tau_syn", "tau_mem", "r", "v_leak", "w_in"))
    check_shapes(building, node, source)
    current = building.free(f"{node.name}.current")
    building.add(current, synapse(building, node), source)
    building.add(node.name, integrator(building, node, "tau_mem"), current)


@PRIMITIVES.register("Threshold")
def read_threshold(building: Building, node: Fields, source: str) -> None:
    """z = 1 for x > threshold."""
    node.only(("threshold",))
    check_shapes(building, node, source)
    level = node.array("threshold")
    summed = building.graph[source]
    if isinstance(summed.op, SumPool) and bool(((level > 0) & (level < 1)).all()):
        (pooled,) = summed.inputs
        if building.graph[pooled].domain is Domain.SPIKE:
            # Spikes of a window whose sum is above a fraction: their maximum is 1.
            op = MaxPool(summed.op.kernel, summed.op.stride, summed.op.padding)
            building.add(node.name, op, pooled)
            return
    building.add(node.name, Threshold(compact(level), building.strict), source)


def leaky(building: Building, node: Fields, key: str) -> Op:
    """The op of a membrane with a leak that fires."""
    tau, gain, leak = steps(building, node, key), node.array("r"), node.array("v_leak")
    threshold, reset = node.array("v_threshold"), node.array("v_reset", 0.0)
    rounding = node.rounding(key, "r")
    rest, level, constant = _uniform(reset), _uniform(threshold), _uniform(tau)
    decays = _like(gain, np.ones_like(gain), rounding)
    plain = decays or _like(gain, tau, rounding)
    if building.strict or rest is None or not plain or _uniform(leak) != rest:
        return EulerNeuron(
            compact(tau), compact(gain), compact(leak),
            compact(threshold), compact(reset), building.strict,
        )  # fmt: skip
    if level is not None and constant is not None:
        return LIF(constant, decays, level, rest)
    return ChannelNeuron(compact(tau), None, decays, compact(threshold), rest)


def integrator(building: Building, node: Fields, key: str) -> Integrator:
    """A membrane with a leak that does not fire."""
    tau = compact(steps(building, node, key))
    return Integrator(tau, compact(node.array("r")), compact(node.array("v_leak")))


def synapse(building: Building, node: Fields) -> Integrator:
    """A current that decays."""
    tau = compact(steps(building, node, "tau_syn"))
    zero = torch.zeros(1, dtype=torch.float64)
    return Integrator(tau, compact(node.array("w_in", 1.0)), zero)


def steps(building: Building, node: Fields, key: str) -> Array:
    """A time constant in time steps."""
    seconds = node.array(key)
    if not bool((seconds > 0).all()):
        raise node.refuse(f"{key!r} is not positive")
    tau = in_steps(seconds, building.dt)
    if node.rounding(key) > node.rounding():
        # In float32 seconds, two steps are 2.00000001 of them: no tau that fixed point could hold.
        whole = np.round(tau)
        tau = np.where(np.isclose(tau, whole, rtol=node.rounding(key), atol=0.0), whole, tau)
    # Below one step the Euler method overshoots: the membrane changes sign instead of decaying.
    if bool((tau < 1).any()) and not _like(tau, np.maximum(tau, 1.0), node.rounding(key)):
        raise UnsupportedError(
            f"its time constant of {seconds.min():g} s is shorter than a time step of "
            f"{building.dt:g} s.",
            where=node.name,
            fix=f"Give the step that the network was made for, at most dt={seconds.min():g}.",
        )
    return tau


def gain_without_leak(building: Building, node: Fields) -> Array:
    """What a neuron without leak multiplies its input with per step."""
    resistance = node.array("r")
    if building.dt != 1.0 and bool((resistance == 1.0).all()):
        raise UnsupportedError(
            f"r = 1 adds {building.dt:g} times the input per step of {building.dt:g} s by NIR's "
            "equation; sinabs, snnTorch and others write r = 1 for once the input.",
            where=node.name,
            fix="Read it with dt=1, where both are the same, or write r = 1 / dt.",
        )
    return per_step(resistance, building.dt)
