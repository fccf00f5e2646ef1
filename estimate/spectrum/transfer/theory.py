"""What linear theory says of a neuron below its threshold.

V[n] = b V[n-1] + g I[n], b = 1 - 1 / tau, gives H(z) = g / (1 - b z^-1): a first-order low-pass.
g = 1 - b with `decay_input`, 1 without; integrate-and-fire has b = g = 1 and its pole at z = 1.
Max-Former (arXiv 2505.18608, 3.1) takes g = 1 - b, leaves reset and threshold out, and takes spikes
as k V near the threshold, so that a layer passes k H(z).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from spikeport.convert.ops import IF, LIF
from spikeport.core.errors import UsageError

Kind = Literal["lif", "if"]
Reset = Literal["none", "hard", "soft"]
KINDS: tuple[Kind, ...] = ("lif", "if")
MAX_TAU = 1000.0
"""Steps; transients of slower neurons last longer than a measurement should."""

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class NeuronChoice:
    """A neuron as SpikingJelly defines it.

    Attributes:
        kind: "lif" or "if".
        tau: time constant in steps, above 1; without meaning for "if".
        decay_input: whether the input is divided by tau.
        threshold: of the membrane.

    Raises:
        UsageError: it is no neuron.
    """

    kind: Kind = "lif"
    tau: float = 2.0
    decay_input: bool = True
    threshold: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(
                "this neuron has no transfer function here.",
                where=repr(self.kind),
                fix=f"Known: {', '.join(KINDS)}.",
            )
        if self.kind == "lif" and not 1 < self.tau <= MAX_TAU:
            raise UsageError(
                f"a time constant must be above 1 and at most {MAX_TAU:g} steps.",
                where=f"tau {self.tau:g}",
                fix="Give one in this range; 2 is usual.",
            )
        if not 0 < self.threshold < np.inf:
            raise UsageError(
                "a threshold must be positive and finite; the neuron without one is always shown.",
                where=f"threshold {self.threshold:g}",
                fix="Give one above 0.",
            )

    @property
    def pole(self) -> float:
        """b, how much of the membrane is left after a step."""
        return 1 - 1 / self.tau if self.kind == "lif" else 1.0

    @property
    def gain(self) -> float:
        """g, how much of an input arrives."""
        return 1 / self.tau if self.kind == "lif" and self.decay_input else 1.0

    @property
    def usual_bias(self) -> float:
        """A constant current that brings a LIF to its threshold, and makes an IF fire every
        other step."""
        if self.kind == "if":
            return self.threshold / 2
        return self.threshold * (1 - self.pole) / self.gain

    def op(self, reset: Reset) -> LIF | IF:
        """The neuron of the graph; "none" has an infinite threshold."""
        threshold = np.inf if reset == "none" else self.threshold
        # Reset to 0, not by subtraction: without spikes infinity times 0 would not be 0.
        value = None if reset == "soft" else 0.0
        if self.kind == "if":
            return IF(threshold, value)
        return LIF(self.tau, self.decay_input, threshold, value)

    def describe(self) -> str:
        """One line."""
        if self.kind == "if":
            return f"integrate-and-fire, threshold {self.threshold:g}"
        decay = "" if self.decay_input else ", input not decayed"
        return f"LIF, tau {self.tau:g} (b = {self.pole:g}){decay}, threshold {self.threshold:g}"


def response(neuron: NeuronChoice, frequency: Floats) -> Complexes:
    """H(e^(2 pi i f)) of the membrane at frequencies in cycles per step, above 0 for "if"."""
    result: Complexes = neuron.gain / (1 - neuron.pole * np.exp(-2j * np.pi * frequency))
    return result
