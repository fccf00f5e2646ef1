"""The result: one comparison per pair of neighbouring stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class LayerFidelity:
    """One layer of neurons on both sides.

    Attributes:
        layer, path: node and module.
        compared, different: 0/1 values.
        by_step: share that differs at each time step.
        rate: of the left side, spikes per neuron and step; `rate_error`: right minus left, as a
            share of the left rate (None if it never fired).
        alone: share of equal spikes if the layer reads the left side's spikes, so that nothing
            adds up over the depth; None where that cannot be run.
        membrane_error: mean |right - left| of the membrane before the comparison with the
            threshold, in thresholds, on the same input spikes; None as above.
    """

    layer: str
    path: str
    compared: int
    different: int
    by_step: tuple[float, ...]
    rate: float
    rate_error: float | None
    alone: float | None
    membrane_error: float | None

    @property
    def agreement(self) -> float:
        """Share of equal spikes, errors of all layers before it included."""
        return 1 - self.different / self.compared


@dataclass(frozen=True)
class StageFidelity:
    """Two stages on the same samples.

    Attributes:
        exact: whether their arithmetic leaves no room for a difference.
        first: layer, step, sample and index of the first spike that differs, in words.
        output_difference: largest absolute difference.
        smape: symmetric mean absolute percentage error of the outputs, 0 to 2: mean of
            2 |a - b| / (|a| + |b|), 0 where both are 0.
        same_answer: share of samples with the same highest output; None if they are no scores.
    """

    left: str
    right: str
    exact: bool
    layers: tuple[LayerFidelity, ...]
    first: str
    output_difference: float
    smape: float
    same_answer: float | None

    @property
    def different(self) -> int:
        return sum(layer.different for layer in self.layers)

    @property
    def compared(self) -> int:
        return sum(layer.compared for layer in self.layers)

    @property
    def worst_alone(self) -> float | None:
        """Smallest share of equal spikes of a layer alone; None where that cannot be run."""
        shares = [layer.alone for layer in self.layers if layer.alone is not None]
        return min(shares, default=None)

    @property
    def worst_rate_error(self) -> float:
        """Largest magnitude of a layer's rate error."""
        return max((abs(layer.rate_error or 0.0) for layer in self.layers), default=0.0)

    @property
    def ok(self) -> bool:
        """Whether nothing differs where nothing may."""
        return not self.exact or self.different == 0


@dataclass(frozen=True)
class FidelityReport:
    """From the model to the target's backends.

    Attributes:
        samples, steps: what was compared on.
        skipped: backends that could not run here, with the reason.
    """

    target: str
    samples: int
    steps: int
    stages: tuple[StageFidelity, ...]
    skipped: dict[str, str]

    @property
    def ok(self) -> bool:
        return all(stage.ok for stage in self.stages)

    def as_json(self) -> dict[str, Any]:
        """All of it; `agreement`, `different` and `compared` come along."""
        content = asdict(self)
        for stage, told in zip(self.stages, content["stages"], strict=True):
            told |= {"ok": stage.ok, "compared": stage.compared, "different": stage.different}
            for layer, entry in zip(stage.layers, told["layers"], strict=True):
                entry["agreement"] = layer.agreement
                entry["by_step"] = list(layer.by_step)
            told["layers"] = list(told["layers"])
        content["stages"] = list(content["stages"])
        return {"ok": self.ok, **content}

    def table(self) -> pd.DataFrame:
        """One row per stage and layer: stage, layer, module, compared, different, agreement,
        rate, rate_error, alone, membrane_error."""
        return pd.DataFrame(
            [
                {
                    "stage": f"{stage.left} -> {stage.right}",
                    "layer": layer.layer,
                    "module": layer.path,
                    "compared": layer.compared,
                    "different": layer.different,
                    "agreement": layer.agreement,
                    "rate": layer.rate,
                    "rate_error": layer.rate_error,
                    "alone": layer.alone,
                    "membrane_error": layer.membrane_error,
                }
                for stage in self.stages
                for layer in stage.layers
            ]
        )
