"""Capacity of chips for one network: figures of each layer and a verdict per chip."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from spikeport.convert.graph import Graph
from spikeport.core.files import write_text
from spikeport.estimate.capacity.layer_per_core import fit_layer_per_core
from spikeport.estimate.capacity.load import CHIPS, chip_named
from spikeport.estimate.capacity.needs import Needs, needs
from spikeport.estimate.capacity.result import Fit
from spikeport.estimate.capacity.schema import Chip
from spikeport.estimate.capacity.shared_cores import fit_shared_cores


@dataclass(frozen=True)
class CapacityReport:
    """What a network needs, and what each chip has.

    Attributes:
        needs: of the network.
        fits: one per chip.
    """

    needs: Needs
    fits: tuple[Fit, ...]

    @property
    def layers(self) -> pd.DataFrame:
        """One row per layer with weights or neurons.

        Columns: node, path, kind, neurons, synapses, weights, weight_bytes (8 bits), state_bytes
        (float32, one sample), inputs, fan_in; then cores[chip] for each chip, the layer alone.
        """
        rows = []
        for layer in self.needs.layers:
            row: dict[str, Any] = {
                "node": layer.node,
                "path": layer.path,
                "kind": layer.kind,
                "neurons": layer.neurons,
                "synapses": layer.synapses,
                "weights": layer.weights,
                "weight_bytes": layer.weight_bytes(8),
                "state_bytes": layer.state_bytes,
                "inputs": layer.inputs,
                "fan_in": layer.fan_in,
            }
            for fit in self.fits:
                alone = {each.node: each.cores for each in fit.layers}
                row[f"cores[{fit.chip.id}]"] = alone.get(layer.node)
            rows.append(row)
        return pd.DataFrame(rows)

    def to_csv(self, path: str | os.PathLike[str], origin: str = "") -> None:
        """Write `layers`, atomically.

        Args:
            path: the file.
            origin: where the figures come from, as the last column of every row; and which limits
                of the chips are unverified.

        Raises:
            FileError: the file cannot be written.
        """
        unverified = "; ".join(
            f"{fit.chip.id}: {len(fit.chip.unverified)} of {len(fit.chip.figures)} unverified"
            for fit in self.fits
        )
        table = self.layers.assign(limits=unverified, origin=origin)
        write_text(path, table.to_csv(index=False))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        totals = ("neurons", "synapses", "weights", "state_bytes")
        return {
            "totals": {name: self.needs.total(name) for name in totals},
            "left_out": list(self.needs.left_out),
            "layers": self.layers.to_dict(orient="records"),
            "chips": [
                {
                    "id": fit.chip.id,
                    "verdict": fit.verdict,
                    "ruled_out": fit.ruled_out,
                    "cores_at_least": fit.cores,
                    "chips_at_least": fit.chips,
                    "bound_by": fit.bound_by,
                    "overflows": [asdict(each) for each in fit.overflows],
                    "limits": fit.chip.describe(),
                    "unverified_limits": fit.chip.unverified,
                    "records": fit.chip.records(),
                    "note": fit.chip.note,
                }
                for fit in self.fits
            ],
        }


def fit_chips(
    graph: Graph, chips: Sequence[str | os.PathLike[str] | Chip] | None = None
) -> CapacityReport:
    """Compare a network with the limits of chips.

    Args:
        graph: the network, batch norms folded.
        chips: names, `.toml` files or chips; all shipped ones by default.

    Raises:
        UnknownNameError: no chip has this name.
        FileError: a chip file is refused.
    """
    chosen = [chip_named(each) for each in (CHIPS if chips is None else chips)]
    found = needs(graph)
    fits = [
        fit_shared_cores(chip, found)
        if chip.placement == "shared_cores"
        else fit_layer_per_core(chip, graph)
        for chip in chosen
    ]
    return CapacityReport(found, tuple(fits))
