"""What makes a node of SpikingJelly run fused on a CPU."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd import forward_ad

from spikeport.core.neurons.autograd import learns, run
from spikeport.core.neurons.dynamics import Dynamics
from spikeport.core.neurons.engines import engine_for
from spikeport.core.neurons.surrogates import is_step


class FusedNode:
    """Goes before a node class of SpikingJelly; replaces its multi-step forward on a CPU.

    Spikes and membrane equal SpikingJelly's bit for bit, gradients but for rounding. Whatever the
    engines do not serve (other devices, half precision, a stored voltage sequence, tracing, a
    surrogate that does not step, methods changed by a subclass) goes to SpikingJelly's own code.
    """

    base: ClassVar[type]
    """The node class of SpikingJelly."""

    def dynamics(self) -> Dynamics:
        raise NotImplementedError

    def leak(self) -> Tensor | None:
        """1 / tau where it is learnt."""
        return None

    def multi_step_forward(self, x_seq: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Currents `[T, B, ...]` to spikes of the same shape; the last membrane stays in `v`."""
        node: Any = self
        if not args and not kwargs and _is_served(node, x_seq):
            dynamics, leak, v = self.dynamics(), self.leak(), _membrane(node, x_seq)
            engine = engine_for(dynamics, x_seq, learns(x_seq, v, leak))
            if engine is not None:
                spikes, node.v = run(engine, dynamics, _settled(x_seq), v, leak)
                return spikes
        own: Any = super()
        return own.multi_step_forward(x_seq, *args, **kwargs)


def _membrane(node: Any, x: Tensor) -> Tensor | float:
    """The membrane that this call starts from, by SpikingJelly's rules."""
    v = node.v
    if isinstance(v, float):
        return v
    if v.shape != x.shape[1:]:
        return 0.0 if node.v_reset is None else node.v_reset
    moved: Tensor = v.to(dtype=x.dtype, device=x.device)
    return moved


def _settled(x: Tensor) -> Tensor:
    """`x` if its steps lie as those of SpikingJelly's spikes would, else a copy that does.

    Spikes are laid out as the result: contiguous or channels-last.
    """
    step = x[0]
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    kept = (torch.contiguous_format, formats.get(step.dim(), torch.contiguous_format))
    if any(step.is_contiguous(memory_format=layout) for layout in kept):
        return x
    return x.contiguous()


def _is_served(node: Any, x: Any) -> bool:
    is_sequence = not _is_traced() and _is_plain_cpu(x) and x.dim() >= 2 and x.numel() > 0
    return is_sequence and _has_known_settings(node)


def _is_plain_cpu(x: Any) -> bool:
    return (
        type(x) in (Tensor, torch.nn.Parameter)
        and x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and x.layout is torch.strided
        and not x.is_neg()
    )


def _is_traced() -> bool:
    """Whether something follows the operations, which ours would hide from it."""
    return (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._functorch.maybe_current_level() is not None
        or forward_ad._current_level >= 0
    )


_METHODS = (
    "single_step_functional_forward",
    "multi_step_functional_forward",
    "materialize_states",
)


def _has_known_settings(node: Any) -> bool:
    tau, weight = getattr(node, "tau", 2.0), getattr(node, "w", None)
    numbers = [node.v_threshold, 0.0 if node.v_reset is None else node.v_reset, tau]
    return (
        getattr(node, "backend", "torch") == "torch"
        and not node.store_v_seq
        and node._neuron_precision is None
        and all(isinstance(number, float) and math.isfinite(number) for number in numbers)
        and tau > 1
        and (weight is None or (_is_plain_cpu(weight) and weight.dim() == 0))
        and is_step(node.surrogate_function)
        and (isinstance(node.v, float) or type(node.v) in (Tensor, torch.nn.Parameter))
        and all(getattr(type(node), name) is getattr(node.base, name) for name in _METHODS)
    )
