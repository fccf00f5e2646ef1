"""Lava's neurons over all time steps: one pass over memory in C, or step by step in torch."""

from __future__ import annotations

import ctypes
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from spikeport.convert.ops import Neuron, Op
from spikeport.core.native import CompileError, load_library, threads_for
from spikeport.targets.lava.kernels.base import SINGLE_LIMIT, Edge, Kernel, maker, number
from spikeport.targets.lava.limits import CURRENT_LIMIT, CURRENT_SHIFT, DECAY_UNIT
from spikeport.targets.lava.ops import LavaLIF

logger = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("neuron.c")
BLOCK = 512
"""Neurons that are worked on at a time."""
_PROBE_STEPS = 3
_INT32 = 2**31
_BIAS_ROOM = 2**29
"""Beyond it, current, membrane and bias might not add up in int32."""


class Settings(ctypes.Structure):
    """`settings` of neuron.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("steps", "size", "period", "x_step")),
        *(
            (name, ctypes.c_int32)
            for name in ("kept_u", "kept_v", "halvings_v", "shift", "threads")
        ),
    )


@dataclass(frozen=True)
class FusedNeuron:
    """All steps in one pass; reads currents `a << shift` below 2^24.

    Biases and thresholds are laid out as the currents are, once for each layout that comes.
    """

    op: LavaLIF
    why: str
    shift: int = 0
    name: str = "C, fused over time"
    dtype: torch.dtype = torch.uint8
    _tables: dict[tuple[int, ...], Tensor] = field(default_factory=dict)

    def shifted(self, bits: int) -> FusedNeuron:
        """The neuron behind a `LavaShift` that is not computed."""
        return replace(self, shift=self.shift + bits, _tables={})

    def run(self, *inputs: Tensor) -> Tensor:
        x = _dense(inputs[0].to(torch.float32))
        spikes = torch.empty_strided(x.shape, (x[0].numel(), *x.stride()[1:]), dtype=torch.uint8)
        if not x.numel():
            return spikes
        table = self._table(x)
        kept_v = DECAY_UNIT - self.op.dv
        settings = Settings(
            steps=len(x),
            size=x[0].numel(),
            period=table.shape[1],
            x_step=x.stride(0),
            kept_u=DECAY_UNIT - self.op.du - 1,
            kept_v=kept_v,
            halvings_v=_halvings(kept_v),
            shift=CURRENT_SHIFT + self.shift,
            threads=threads_for(x.numel()),
        )
        addresses = (x.data_ptr(), table.data_ptr(), table[1].data_ptr(), spikes.data_ptr())
        function = _function()
        assert function is not None, "this kernel is made only where it was compiled"
        function(ctypes.byref(settings), *addresses)
        return spikes

    def _table(self, x: Tensor) -> Tensor:
        """Biases and limits, `[2, period]` int32, in the order of memory of `x`."""
        key = (*x.shape[2:], *x.stride()[2:])
        if key not in self._tables:
            self._tables[key] = self._laid_out(x[0, 0])
        return self._tables[key]

    def _laid_out(self, sample: Tensor) -> Tensor:
        bias = self.op.bias(torch.int32)
        parts = [torch.zeros((), dtype=torch.int32) if bias is None else bias, _limit(self.op)]
        per_channel = all(
            part.dim() == 0 or (part.dim() == sample.dim() and part.numel() == len(part))
            for part in parts
        )
        if per_channel and sample.dim() > 1 and sample.stride(0) == 1:
            # Channels last: the pattern repeats with every pixel. Long patterns run faster.
            channels = sample.shape[0]
            copies = max(1, BLOCK // channels)
            return torch.stack([p.reshape(-1).expand(channels).repeat(copies) for p in parts])
        laid_out = torch.empty_strided(sample.shape, sample.stride(), dtype=torch.int32)
        flat = [
            torch.as_strided(
                laid_out.copy_(part.expand(sample.shape)), (sample.numel(),), (1,)
            ).clone()
            for part in parts
        ]
        return torch.stack(flat)


@dataclass(frozen=True)
class SteppedNeuron:
    """Any neuron, step by step in a floating type that is exact."""

    op: Neuron
    works_in: torch.dtype
    why: str
    dtype: torch.dtype = torch.uint8

    @property
    def name(self) -> str:
        return f"{str(self.works_in).removeprefix('torch.')}, step by step"

    def run(self, *inputs: Tensor) -> Tensor:
        currents = inputs[0].to(self.works_in)
        spikes = torch.empty_like(currents, dtype=torch.uint8)
        state = self.op.initial(currents[0])
        for step, x in enumerate(currents):
            state, fired = self.op.step(state, x)
            spikes[step] = fired
        return spikes


@maker(LavaLIF)
def fused_neuron(op: Op, inputs: tuple[Edge, ...]) -> Kernel | None:
    if not isinstance(op, LavaLIF) or inputs[0].largest >= SINGLE_LIMIT:
        return None
    bias = op.bias(torch.float64)
    if bias is not None and float(bias.abs().max()) >= _BIAS_ROOM:
        return None
    kept_u, kept_v = DECAY_UNIT - op.du - 1, DECAY_UNIT - op.dv
    if not (0 <= kept_u <= DECAY_UNIT and 0 <= kept_v <= DECAY_UNIT):
        return None
    if kept_u and inputs[0].largest >= CURRENT_LIMIT:
        return None  # one wrap does not bring u back, which then grows beyond int32
    if _function() is None:
        return None
    why = f"currents up to {number(inputs[0].largest)}, below 2^24, in int32"
    return _probed(FusedNeuron(op, why), inputs[0])


def _probed(kernel: FusedNeuron, edge: Edge) -> FusedNeuron | None:
    """The kernel if its spikes are those of the op: compilers take flags from the environment."""
    assert edge.bounds is not None
    random = torch.Generator().manual_seed(0)
    shape, limit = (_PROBE_STEPS, 1, *edge.bounds.low.shape), int(min(edge.largest, 2**20))
    currents = torch.randint(-limit, limit + 1, shape, generator=random).double()
    currents[:, :, ::2] = torch.div(currents[:, :, ::2], 16, rounding_mode="trunc")
    expected = SteppedNeuron(kernel.op.cast(torch.float64), torch.float64, "").run(currents)
    return kernel if torch.equal(kernel.run(currents), expected) else None


def stepped_neuron(op: Neuron, inputs: tuple[Edge, ...]) -> Kernel:
    """In float32 where that is proven to be exact, else in float64."""
    largest = inputs[0].largest
    if isinstance(op, LavaLIF) and largest < CURRENT_LIMIT and _shifts(op):
        why = f"currents up to {number(largest)}, below 2^17, and decays by shifts"
        return SteppedNeuron(op, torch.float32, why)
    return SteppedNeuron(op.cast(torch.float64), torch.float64, f"currents: {number(largest)}")


def _shifts(op: LavaLIF) -> bool:
    """Whether both decays multiply by a power of two, or by zero."""
    kept = (DECAY_UNIT - op.dv, DECAY_UNIT - op.du - 1)
    return all(factor >= 0 and factor & (factor - 1) == 0 for factor in kept)


def _halvings(kept: int) -> int:
    """h with kept / 4096 = 2^-h, or -1."""
    is_power = kept > 0 and kept & (kept - 1) == 0
    return (DECAY_UNIT // kept).bit_length() - 1 if is_power else -1


def _limit(op: LavaLIF) -> Tensor:
    """What the membrane must exceed; larger ones than int32 holds are never exceeded anyway."""
    limit = torch.as_tensor(op.threshold(), dtype=torch.float64)
    return limit.clamp(-_INT32, _INT32 - 1).to(torch.int32)


def _dense(x: Tensor) -> Tensor:
    """`x` if each step is one run of numbers, sample after sample, else a copy that is."""
    expected = x[0, 0].numel() if x.numel() else 0
    sizes = sorted(zip(x.stride()[2:], x.shape[2:], strict=True))
    run = 1
    for stride, size in sizes:
        if size > 1 and stride != run:
            return x.contiguous()
        run *= size
    fits = run == expected and (x.shape[1] == 1 or x.stride(1) == run)
    return x if fits else x.contiguous()


@functools.cache
def _function() -> Callable[..., None] | None:
    """`neurons` of neuron.c; None, for good, after the first failure."""
    try:
        function = load_library(SOURCE, (f"BLOCK={BLOCK}",)).neurons
    except CompileError as error:
        logger.warning("Integer neurons run several times slower than they could: %s", error)
        return None
    function.argtypes = [ctypes.POINTER(Settings), *[ctypes.c_void_p] * 4]
    function.restype = None
    return function
