"""Spectra as tables: one row per edge, per effect, per kind of effect, per point of a curve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from spikeport.convert.graph import Node
from spikeport.core.errors import UsageError
from spikeport.estimate.formats import SPECTRUM_STAMP
from spikeport.estimate.origin import origin_of
from spikeport.estimate.report import DataInfo
from spikeport.estimate.spectrum.effects import (
    Effect,
    effects,
    mean_over_nodes,
    statistics_of,
    tells,
)
from spikeport.estimate.spectrum.grids import Floats
from spikeport.estimate.spectrum.shares import Shares
from spikeport.estimate.spectrum.spectra import Spectra
from spikeport.estimate.stages import stage_of
from spikeport.estimate.stats import Statistics

SHARE = (
    "share of power above half of Nyquist (radius > 1/2; along time k / T > 1/4), DC excluded, "
    "over all steps and channels of a sample, mean over samples"
)
EDGE_COLUMNS: dict[str, str] = {
    "node": "name of the node whose output it is",
    "path": "module path in the traced model",
    "stage": "number of the network stage",
    "part": "patch embedding, token mixing, MLP, head, or the top-level module",
    "kind": "kind of op",
    "domain": "what the edge carries: spike, graded, scaled or real",
    "height": "of its maps",
    "width": "of its maps",
    "share": f"high-frequency share in space: {SHARE}",
    "share_low": "lower end of its 95 % interval over samples (bootstrap)",
    "share_high": "upper end",
    "share_white": "the share that white noise has on maps of this size",
    "left_out": "why there is no share in space",
    "silent": "samples without power other than DC, which have no share in space",
    "steps": "time steps T",
    "time_share": f"high-frequency share along time: {SHARE}",
    "time_share_low": "lower end of its 95 % interval",
    "time_share_high": "upper end",
    "time_share_white": "the share that white noise has along T steps",
    "time_left_out": "why there is no share along time",
    "time_silent": "samples that do not change over the steps, which have no share along time",
}
KIND_COLUMNS: dict[str, str] = {
    "what": "kind of op, module as a whole, or max pooling against what could stand there",
    "same_size": "whether maps keep their size, so that shares are of the same frequencies",
    "nodes": "how many there are",
    "defined": "how many of them have a share in space before and behind",
    "difference": "share behind minus share before, mean over these and over samples",
    "difference_low": "lower end of its 95 % interval over samples (paired, bootstrap)",
    "difference_high": "upper end",
    "time_defined": "how many have shares along time",
    "time_difference": "the same along time",
    "time_difference_low": "lower end",
    "time_difference_high": "upper end",
}


@dataclass(frozen=True, eq=False)
class SpectrumReport:
    """Spectra of a network on the samples seen.

    Attributes:
        spectra: what was summed.
        data: what the samples are.
        seed: of the bootstrap.

    Raises:
        UsageError: there is no sample.
    """

    spectra: Spectra
    data: DataInfo = field(default_factory=DataInfo)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.spectra.samples:
            raise UsageError("no sample was seen.", where="spectrum", fix="Run a batch first.")

    @property
    def origin(self) -> dict[str, str]:
        spectra = self.spectra
        facts = origin_of(spectra.graph, self.data, spectra.samples, spectra.time_steps)
        return {**facts, "interval": "bootstrap", "seed": str(self.seed)}

    @property
    def headline(self) -> str:
        """What was measured on what, in a line."""
        steps = self.spectra.time_steps
        timed = "one image" if steps is None else f"T = {steps}"
        return (
            f"{self.spectra.samples} samples of {self.data.name}, split {self.data.split} "
            f"({self.data.provenance}), {timed}"
        )

    @cached_property
    def effects(self) -> list[Effect]:
        return effects(self.spectra)

    @cached_property
    def edges(self) -> pd.DataFrame:
        """One row per edge: `EDGE_COLUMNS`."""
        rows = [self._edge(node) for node in self.spectra.graph]
        return pd.DataFrame(rows, columns=list(EDGE_COLUMNS))

    @cached_property
    def each_effect(self) -> pd.DataFrame:
        """One row per effect: shares before and after, and their difference with interval."""
        return pd.DataFrame([self._effect(each) for each in self.effects])

    @cached_property
    def by_kind(self) -> pd.DataFrame:
        """One row per kind of effect, apart where maps change their size: mean over its nodes."""
        rows = []
        for (what, same_size), parts in self._grouped().items():
            row: dict[str, Any] = {"what": what, "same_size": same_size, "nodes": len(parts)}
            row |= self._mean("", [each.differences for each in parts])
            row |= self._mean("time_", [each.time_differences for each in parts])
            rows.append(row)
        return pd.DataFrame(rows, columns=list(KIND_COLUMNS))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """One row per point of a curve.

        `curve` is "diagonal" (relative log amplitude), "radial" (mean power of a ring) or "time"
        (mean power of k / T); `frequency` is in units of Nyquist.
        """
        rows = [
            (name, curve, float(x), float(y))
            for name, curve, frequencies, values in self._curves()
            for x, y in zip(frequencies, values, strict=True)
        ]
        return pd.DataFrame(rows, columns=["node", "curve", "frequency", "value"])

    def as_dict(self) -> dict[str, Any]:
        """All of it but the curves; only what JSON has."""
        return {
            "format": SPECTRUM_STAMP[0],
            "version": SPECTRUM_STAMP[1],
            "headline": self.headline,
            "provenance": self.data.provenance,
            "origin": self.origin,
            "share": SHARE,
            "edges": _records(self.edges),
            "effects": _records(self.each_effect),
            "by_kind": _records(self.by_kind),
        }

    def _edge(self, node: Node) -> dict[str, Any]:
        stage = stage_of(node.path)
        row: dict[str, Any] = {
            "node": node.name,
            "path": node.path,
            "stage": stage.stage,
            "part": stage.part,
            "kind": node.op.kind,
            "domain": node.domain.value,
        }
        maps = self.spectra.maps.get(node.name)
        if maps is None:
            row["left_out"] = self.spectra.reason(node.name)
        else:
            row |= {"height": maps.height, "width": maps.width}
            row |= self._share(maps.shares, "", "the map")
        steps = self.spectra.steps.get(node.name)
        if steps is None:
            row["time_left_out"] = "one step" if node.per_step else "once per sample"
        else:
            row["steps"] = steps.steps
            row |= self._share(steps.shares, "time_", "the steps")
        return row

    def _share(self, shares: Shares, prefix: str, axes: str) -> dict[str, Any]:
        if not shares.grid.tells:
            return {f"{prefix}left_out": "too few frequencies: none is low, or none high"}
        found = self._statistics(shares.values)
        row: dict[str, Any] = {
            f"{prefix}share_white": shares.grid.white,
            f"{prefix}silent": int(np.isnan(shares.values).sum()),
        }
        if found is None:
            return {**row, f"{prefix}left_out": f"constant over {axes} in every sample"}
        return {**row, **_spread(f"{prefix}share", found)}

    def _effect(self, each: Effect) -> dict[str, Any]:
        before, after = each.before, each.after
        row: dict[str, Any] = {"what": each.what, "where": each.where, "node": each.node}
        row["size_before"] = f"{before.height}x{before.width}"
        row["size_after"] = f"{after.height}x{after.width}"
        for name, maps in (("before", before), ("after", after)):
            found = self._statistics(maps.shares.values)
            row[name] = None if found is None else found.mean
        row |= _spread("difference", self._statistics(each.differences))
        return {**row, **_spread("time_difference", self._statistics(each.time_differences))}

    def _mean(self, prefix: str, parts: list[Floats]) -> dict[str, Any]:
        """Over the effects that are defined, and how many these are."""
        defined = list(filter(tells, parts))
        found = self._statistics(mean_over_nodes(defined)) if defined else None
        return {f"{prefix}defined": len(defined), **_spread(f"{prefix}difference", found)}

    def _statistics(self, values: Floats) -> Statistics | None:
        return statistics_of(values, self.seed)

    def _grouped(self) -> dict[tuple[str, bool], list[Effect]]:
        groups: dict[tuple[str, bool], list[Effect]] = {}
        for each in self.effects:
            groups.setdefault((each.what, each.same_size), []).append(each)
        return groups

    def _curves(self) -> Iterator[tuple[str, str, Floats, Floats]]:
        for name, maps in self.spectra.maps.items():
            if maps.diagonal is not None:
                values, frequencies = maps.diagonal
                yield name, "diagonal", frequencies, values
            values, frequencies = maps.radial
            yield name, "radial", frequencies, values
        for name, steps in self.spectra.steps.items():
            yield name, "time", steps.grid.radius, steps.power


def _spread(name: str, found: Statistics | None) -> dict[str, float | None]:
    if found is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows without what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return [
        {str(name): value for name, value in row.items() if value not in (None, "")} for row in rows
    ]
