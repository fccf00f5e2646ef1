"""What becomes of a network in the reference: which implementation runs each node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikeport.targets.reference.executor import ReferenceExecutor
from spikeport.targets.reference.rounding import Flips


@dataclass(frozen=True)
class ReferenceReport:
    """How the network runs on the default backend.

    Attributes:
        dtype: of currents and spikes at each step.
        device: "cpu" or "cuda".
        layout: of feature maps.
        kernels: what computes each node, by name.
        flips: spikes that differ from float64 on sample frames; None if none were given.
    """

    dtype: str
    device: str
    layout: str
    kernels: Mapping[str, str]
    flips: Flips | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "dtype": self.dtype,
            "device": self.device,
            "layout": self.layout,
            "kernels": dict(self.kernels),
            "implementations": dict(Counter(self.kernels.values()).most_common()),
            "flips": None if self.flips is None else self.flips.as_json(),
        }

    def warnings(self) -> Sequence[str]:
        """What a user should look at."""
        found = []
        if self.dtype in ("bfloat16", "float16") and self.flips is None:
            found.append(
                f"{self.dtype} flips spikes; how many was not measured. Give sample frames to "
                "lower as `sample`."
            )
        if self.flips is not None and self.flips.flipped:
            found.append(
                f"{self.flips.flipped} of {self.flips.spikes} spikes "
                f"({self.flips.share:.2%}) differ from float64 on the sample; the first in "
                f"{self.flips.first}."
            )
        slow = [name for name, kernel in self.kernels.items() if kernel == "torch, step by step"]
        if slow:
            found.append(
                f"{len(slow)} layers of neurons run step by step (no compiler, parameters per "
                f"channel, or float16 on a CPU); the first is {slow[0]}."
            )
        return found


def report_on(executor: ReferenceExecutor, flips: Flips | None) -> ReferenceReport:
    """The report of an executor."""
    return ReferenceReport(
        dtype=str(executor.dtype).removeprefix("torch."),
        device=executor.device.type,
        layout=executor.layout,
        kernels=executor.kernels,
        flips=flips,
    )
