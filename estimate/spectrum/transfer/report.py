"""A transfer function as tables and files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spikeport.core.files import write_json, write_text
from spikeport.estimate.origin import one_line, origin_of_code
from spikeport.estimate.spectrum.export import write_all
from spikeport.estimate.spectrum.transfer.measure import RESETS, Transfer
from spikeport.estimate.spectrum.transfer.plots import figure
from spikeport.estimate.spectrum.transfer.theory import Reset

WITH_THRESHOLD: tuple[Reset, ...] = ("hard", "soft")


def origin(found: Transfer) -> dict[str, str]:
    """Where the figures come from."""
    drive = found.drive
    return {
        **origin_of_code(),
        "neuron": found.neuron.describe(),
        "steps": str(drive.steps),
        "amplitude": f"{drive.amplitude:g}",
        "bias": f"{drive.bias:g}",
        "realisations": str(drive.realisations),
        "seed": str(drive.seed),
    }


def curves(found: Transfer) -> pd.DataFrame:
    """One row per frequency: gain and phase (radians) of theory and of each measurement."""
    columns: dict[str, Any] = {"frequency": found.frequency, **_polar("theory", found.theory)}
    for reset in RESETS:
        each = found.responses[reset]
        columns |= _polar(f"{reset}_sine_membrane", each.sine_membrane)
        columns |= _polar(f"{reset}_noise_membrane", each.noise_membrane)
        if reset != "none":
            columns |= _polar(f"{reset}_sine_spikes", each.sine_spikes)
            columns |= _polar(f"{reset}_noise_spikes", each.noise_spikes)
            columns |= {f"{reset}_purity": each.sine_purity, f"{reset}_coherence": each.coherence}
    return pd.DataFrame(columns)


def summary(found: Transfer) -> list[dict[str, Any]]:
    """One row per signal: gain at the lowest frequency, at pi / 2 and at Nyquist, and its fit.

    With a threshold gains are those of white noise: a sinusoid of a simple fraction of a cycle per
    step locks the spikes to itself. `missed` says what k |H| leaves of the gains, see
    `Transfer.slope`.
    """
    places = _places(found)
    rows = [{"signal": "theory", **_gains(found.theory, places)}]
    free = found.responses["none"]
    rows.append({"signal": "membrane, no threshold", **_gains(free.sine_membrane, places)})
    for reset in WITH_THRESHOLD:
        each = found.responses[reset]
        for signal, which in (("membrane", "noise_membrane"), ("spikes", "noise_spikes")):
            k, missed = found.slope(reset, which)
            row = {"signal": f"{signal}, {reset} reset", **_gains(getattr(each, which), places)}
            row |= {"k": _finite(k), "missed": _finite(missed)}
            if signal == "spikes":
                row |= {
                    "rate": each.rate_noise,
                    "purity": _mean(each.sine_purity),
                    "coherence": _mean(each.coherence),
                }
            rows.append(row)
    return rows


def as_dict(found: Transfer) -> dict[str, Any]:
    """Only what JSON has."""
    table = curves(found)
    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return {
        "origin": origin(found),
        "largest_error_without_threshold": found.error,
        "signals": summary(found),
        "frequencies": rows,
    }


def export(found: Transfer, folder: str | os.PathLike[str]) -> list[Path]:
    """Write `transfer.csv`, `transfer.json` and `transfer.svg`, each atomically.

    Raises:
        FileError: a file cannot be written.
    """
    facts = origin(found)
    table = curves(found).assign(origin=one_line(facts))
    writers: dict[str, Callable[[Path], None]] = {
        "transfer.csv": partial(write_text, text=table.to_csv(index=False)),
        "transfer.json": partial(write_json, value=as_dict(found)),
    }
    return write_all(folder, writers, {"transfer.svg": figure(found)}, facts)


def _polar(name: str, values: Any) -> dict[str, Any]:
    return {f"{name}_gain": np.abs(values), f"{name}_phase": np.angle(values)}


def _places(found: Transfer) -> dict[str, int]:
    """Where the lowest frequency, the one nearest to pi / 2 and the highest lie."""
    x = found.frequency
    return {"lowest": 0, "quarter": int(np.abs(x - 0.25).argmin()), "highest": len(x) - 1}


def _gains(values: Any, places: dict[str, int]) -> dict[str, Any]:
    return {name: float(np.abs(values[place])) for name, place in places.items()}


def _mean(values: Any) -> float | None:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
