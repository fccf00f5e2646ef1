"""The result: one comparison per pair of neighbouring stages."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from spikeport.core.plain import plain
from spikeport.targets.lowered import Tolerance


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
        allowed: how far apart they may be; None where being apart is what the report is for: any
            distance but one that is no number.
        layers: those that both run.
        only_left, only_right: layers that one of them runs, so that nothing was compared.
        left_out: neurons of the model whose spikes nothing reads; no stage behind it has them.
        first: layer, step, sample and index of the first spike that differs, in words.
        output_difference: largest absolute difference.
        output_gap: the same in samples whose spikes are all equal, which have no excuse; NaN if
            one of these outputs is none.
        smape: symmetric mean absolute percentage error of the outputs, 0 to 2: mean of
            2 |a - b| / (|a| + |b|), 0 where both are 0.
        same_answer: share of samples with the same highest output; None if they are no scores.
    """

    left: str
    right: str
    allowed: Tolerance | None
    layers: tuple[LayerFidelity, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    left_out: tuple[str, ...]
    first: str
    output_difference: float
    output_gap: float
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
    def exact(self) -> bool:
        """Whether no spike may differ."""
        return self.allowed is not None and self.allowed.spikes == 0

    @property
    def uncompared(self) -> dict[str, str]:
        """By layer, the only stage that runs it."""
        runs = {name: self.left for name in (*self.only_left, *self.left_out)}
        return runs | dict.fromkeys(self.only_right, self.right)

    @property
    def problems(self) -> tuple[str, ...]:
        """Where the two are further apart than they may be, in sentences."""
        pair = f"{self.left} and {self.right}"
        if self.allowed is None:
            if math.isfinite(self.output_difference):
                return ()
            return (f"outputs of {pair} differ by {self.output_difference:.3g}.",)
        found = []
        if self.different > self.allowed.spikes * self.compared:
            may = "must be equal"
            if not self.exact:
                may = f"may differ in {100 * self.allowed.spikes:g} % of them"
            found.append(
                f"{self.different:,} of {self.compared:,} spikes differ between {pair}, which "
                f"{may}; the first in {self.first}."
            )
        for name in (*self.only_left, *self.only_right):
            found.append(
                f"{name} runs in {self.uncompared[name]} only; {pair} must run the same layers."
            )
        if not self.output_gap <= self.allowed.outputs:  # NaN is no agreement
            found.append(
                f"outputs of {pair} differ by {self.output_gap:.3g} in samples whose spikes are "
                f"all equal; {self.allowed.outputs:.3g} is allowed."
            )
        return tuple(found)

    @property
    def ok(self) -> bool:
        """Whether nothing is further apart than it may be."""
        return not self.problems


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
        """All of it as JSON values; `agreement`, `different` and `compared` come along. A figure
        that is no number, such as a difference from NaN, is null."""
        content = asdict(self)
        for stage, told in zip(self.stages, content["stages"], strict=True):
            told |= {"ok": stage.ok, "exact": stage.exact, "problems": stage.problems}
            told |= {"compared": stage.compared, "different": stage.different}
            told["allowed"] = None if stage.allowed is None else stage.allowed._asdict()
            for layer, entry in zip(stage.layers, told["layers"], strict=True):
                entry["agreement"] = layer.agreement
        whole: dict[str, Any] = plain({"ok": self.ok, **content})
        return whole

    def table(self) -> pd.DataFrame:
        """One row per stage and layer: stage, layer, module, compared, different, agreement,
        rate, rate_error, alone, membrane_error, runs_in (the only stage that runs the layer, so
        that nothing was compared; empty if both do)."""
        rows: list[dict[str, object]] = []
        for stage in self.stages:
            named = {"stage": f"{stage.left} -> {stage.right}"}
            rows += [{**named, **_row(layer)} for layer in stage.layers]
            rows += [
                {**named, "layer": name, "compared": 0, "different": 0, "runs_in": runs_in}
                for name, runs_in in stage.uncompared.items()
            ]
        return pd.DataFrame(rows)


def _row(layer: LayerFidelity) -> dict[str, object]:
    return {
        "layer": layer.layer,
        "module": layer.path,
        "compared": layer.compared,
        "different": layer.different,
        "agreement": layer.agreement,
        "rate": layer.rate,
        "rate_error": layer.rate_error,
        "alone": layer.alone,
        "membrane_error": layer.membrane_error,
        "runs_in": "",
    }
