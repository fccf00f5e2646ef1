"""Where and with what numbers a network runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from spikeport.core.errors import UnknownNameError, UsageError

Layout = Literal["channels_last", "contiguous"]

LAYOUTS: dict[str, Layout] = {"channels_last": "channels_last", "contiguous": "contiguous"}
DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass(frozen=True)
class Setting:
    """What every kernel of one executor agrees on.

    Attributes:
        dtype: of currents and spikes at each step. Under bfloat16 and float16 membranes, and what
            exists once per sample (a static image's stem, the read-out), are float32.
        layout: of feature maps `[N, C, H, W]` in memory.
    """

    dtype: torch.dtype
    device: torch.device
    layout: Layout

    @property
    def real(self) -> torch.dtype:
        """Of membranes and of values once per sample."""
        return self.dtype if self.dtype in (torch.float32, torch.float64) else torch.float32

    def dtype_of(self, stepped: bool) -> torch.dtype:
        """Of a value that exists at each step, or once per sample."""
        return self.dtype if stepped else self.real


def make_setting(
    dtype: torch.dtype | str, device: torch.device | str, layout: str | None
) -> Setting:
    """A setting that this machine has.

    Args:
        layout: channels last if not given, but for float64: proofs add in the interpreter's order.

    Raises:
        UnknownNameError: there is no such number format, device or layout.
        UsageError: the device is not there.
    """
    chosen = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if chosen is None or chosen not in DTYPES.values():
        raise UnknownNameError("number format", str(dtype), DTYPES)
    layout = layout or ("contiguous" if chosen == torch.float64 else "channels_last")
    if layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    kind = str(device).partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UnknownNameError("device", str(device), ("cpu", "cuda"))
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "there is no GPU that this PyTorch can use.",
            where=f"device {device}",
            fix='Use device="cpu", or a machine with an NVIDIA GPU and its driver.',
        )
    return Setting(chosen, torch.device(device), LAYOUTS[layout])
