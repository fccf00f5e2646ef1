"""A neuron of SpikingJelly and ours with the same settings."""

from __future__ import annotations

from typing import Any

import torch
from spikingjelly.activation_based import neuron
from torch import Tensor

from spikeport.core import neurons

SETTINGS: dict[str, dict[str, Any]] = {
    "zoo": {"tau": 2.0, "v_reset": 0.0, "detach_reset": True},
    "slow": {"tau": 1.7, "v_threshold": 0.6, "v_reset": -0.3},
    "soft": {"tau": 3.3, "v_reset": None, "detach_reset": True},
    "soft-attached": {"tau": 4.0, "v_reset": None, "v_threshold": 0.5},
    "undecayed": {"tau": 1.9, "decay_input": False, "v_reset": 0.2, "detach_reset": True},
    "undecayed-half": {"tau": 2.0, "decay_input": False, "v_reset": None},
}


def make_pair(kind: str, settings: str = "slow", **more: Any) -> tuple[Any, Any]:
    """(SpikingJelly's node, ours) of class `kind`, in multi-step mode."""
    given = {"step_mode": "m", **SETTINGS[settings], **more}
    if kind == "IFNode":
        given = {k: v for k, v in given.items() if k not in ("tau", "decay_input")}
    if kind == "ParametricLIFNode":
        given["init_tau"] = given.pop("tau")
    return getattr(neuron, kind)(**given), getattr(neurons, kind)(**given)


def currents(shape: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    """Normal currents that make some neurons fire."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator, dtype=torch.float64) * 1.5 + 0.4).to(dtype)
