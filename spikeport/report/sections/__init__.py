"""The sections of the page: each turns results into what its template shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spikeport.report.assets import Assets
from spikeport.report.gather import Subject
from spikeport.report.sections import (
    accuracy,
    break_even,
    capacity,
    coverage,
    energy,
    network,
    parity,
    provenance,
    rates,
    spectrum,
    training,
    verdict,
    widths,
)

Build = Callable[[Subject, Assets], dict[str, Any] | None]


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: of the anchor and the template.
        short: title in the list of sections.
        lead: one sentence below the title.
        missing: what a reader is told where there is nothing to show.
        build: what the template shows of one network; None if there is nothing.
        optional: left out where no network has it.
    """

    id: str
    short: str
    title: str
    lead: str
    missing: str
    build: Build
    optional: bool = False


_ESTIMATE = "Run spikeport estimate with --out to have this."

SECTIONS: tuple[Section, ...] = (
    Section(
        "verdict",
        "Verdict",
        "Verdict",
        "Five figures, each with its uncertainty and where it comes from.",
        "",
        verdict.build,
    ),
    Section(
        "network",
        "Network",
        "Network",
        "Boxes grow with energy and warm with firing rate; lines show what they carry. "
        "Select a box for its figures.",
        _ESTIMATE,
        network.build,
    ),
    Section(
        "energy",
        "Energy",
        "Energy by layer",
        "The same exact counts, priced by any energy model.",
        _ESTIMATE,
        energy.build,
    ),
    Section(
        "rates",
        "Rates",
        "Firing rates",
        "Spikes per neuron, layer by layer and step by step; mean over the samples.",
        _ESTIMATE,
        rates.build,
    ),
    Section(
        "accuracy",
        "Accuracy",
        "Accuracy",
        "Share of right answers on each target, all on the same samples; intervals at 95 %.",
        "Run spikeport evaluate with --out to have this.",
        accuracy.build,
    ),
    Section(
        "widths",
        "Widths",
        "Widths of the weights",
        "The network on Lava at several widths of its weights, against the float network on the "
        "same samples; intervals at 95 %.",
        "Run spikeport evaluate --target lava --bits 4,6,8 with --out to have this.",
        widths.build,
        optional=True,
    ),
    Section(
        "break-even",
        "Break-even",
        "Against the network without spikes",
        "How busy each layer may become before multiply-accumulates would be cheaper, and which "
        "constant decides.",
        "Run spikeport estimate under an energy model that prices multiply-accumulates, such as "
        "horowitz45-fp32.",
        break_even.build,
    ),
    Section(
        "capacity",
        "Capacity",
        "Capacity of chips",
        "Lower bounds: a placement needs as much or more, so only \u201cdoes not fit\u201d is "
        "proven.",
        "Run spikeport estimate with --chip to have this.",
        capacity.build,
    ),
    Section(
        "parity",
        "Parity",
        "Parity",
        "Each stage of the way to the target against the one before, spike by spike.",
        "Run spikeport lower to have this.",
        parity.build,
    ),
    Section(
        "spectrum",
        "Frequencies",
        "Frequencies",
        "How much of what each edge carries is of high frequency, over the map and over the steps.",
        "Run spikeport spectrum with --out to have this.",
        spectrum.build,
        optional=True,
    ),
    Section(
        "coverage",
        "Coverage",
        "What is counted, and what is not",
        "Every node is counted, zero by a rule, or named as uncounted.",
        _ESTIMATE,
        coverage.build,
    ),
    Section(
        "training",
        "Training",
        "Training",
        "How the weights came about.",
        "Add the folder that spikeport train wrote to have this.",
        training.build,
    ),
    Section(
        "provenance",
        "Provenance",
        "Provenance",
        "Versions, hashes, seeds, sources, and commands that give these figures again.",
        "",
        provenance.build,
    ),
)
