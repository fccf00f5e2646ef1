"""Sections on small results, where each case can be written down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_page import Page

from spikeport.report import gather, render
from spikeport.report.artefacts.energy import Accuracy
from spikeport.report.gather import Subject
from spikeport.report.sections import verdict
from spikeport.report.tables import energy

TARGET = {
    "accuracy": 0.9,
    "interval": [0.8, 0.95],
    "correct": 90,
    "agreement": 1.0,
    "difference": 0.0,
    "difference_interval": [0.0, 0.0],
    "mcnemar_p": 1.0,
}
STEPS = [
    {
        **{"steps": steps, "accuracy": right / 100, "correct": right, "interval": [low, high]},
        **{"sop": 10.0 * steps, "energy_uJ": steps + 0.5},
    }
    for steps, right, low, high in ((1, 50, 0.4, 0.6), (2, 90, 0.8, 0.95))
]


def evaluated(folder: Path, **targets: dict) -> Subject:
    folder.mkdir(exist_ok=True)
    content = {
        "format": "spikeport-evaluation",
        "version": 1,
        "data": {"name": "digits", "split": "test", "provenance": "simulated events"},
        "samples": 100,
        "steps": 2,
        "classes": ["zero", "one"],
        "targets": targets,
        "origin": {"graph_sha256": "a" * 64},
    }
    (folder / "evaluation.json").write_text(json.dumps(content))
    (subject,) = gather([f"net={folder}"])
    return subject


def test_a_curve_and_its_mistakes_are_shown(tmp_path: Path) -> None:
    target = TARGET | {
        "curve": STEPS,
        "confusion": [[40, 7], [3, 50]],
        "per_class": [{"label": 1, "samples": 53, "recall": 50 / 53, "precision": None}],
    }
    page = Page(render([evaluated(tmp_path, reference=target)]))
    rows = page.tables["curve"]
    assert [row["steps"] for row in rows] == [1, 2]
    assert [row["energy_uJ"] for row in rows] == [1.5, 2.5]
    assert page.tables["classes"][0]["class"] == "one"
    shown = json.dumps(page.data["specs"])
    assert '"label": "zero", "prediction": "one", "i": 0, "j": 1, "samples": 7' in shown
    assert "simulated events" in page.text


def test_curves_of_several_networks_share_a_chart(tmp_path: Path) -> None:
    first = evaluated(tmp_path / "a", reference=TARGET | {"curve": STEPS})
    second = evaluated(tmp_path / "b", reference=TARGET | {"curve": STEPS[:1]})
    first.name, second.name = "zeta", "second"
    page = Page(render([first, second]))
    assert "when the networks are stopped after T steps" in page.text
    (curve,) = (spec for spec in page.data["specs"].values() if "'second'" in str(spec))
    # One network, one colour: the order of the page, not of the alphabet.
    assert curve["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["zeta", "second"]


@pytest.mark.parametrize(
    ("difference", "shown"), [(-0.02, "+2.00 points"), (0.01, "-1.00 points"), (0.0, "0.00 points")]
)
def test_a_loss_is_positive_where_fixed_point_is_worse(
    tmp_path: Path, difference: float, shown: str
) -> None:
    lava = TARGET | {"difference": difference, "difference_interval": [-0.05, 0.03]}
    subject = evaluated(tmp_path, reference=TARGET, lava=lava)
    (card,) = (each for each in verdict.build(subject, None)["cards"] if "Loss" in each.title)
    assert card.value == shown
    assert card.within == "-3.0 to +5.0 points"


def test_what_is_not_known_says_how_to_get_it(tmp_path: Path) -> None:
    cards = verdict.build(evaluated(tmp_path, reference=TARGET), None)["cards"]
    told = {card.title: card.detail for card in cards if not card.value}
    assert told["Energy per sample"] == "Not estimated: run spikeport estimate."
    assert "evaluate --target reference,lava" in told["Loss in fixed point"]
    assert told["Parity"] == "Not shown: run spikeport lower."


@pytest.mark.parametrize(
    ("spiking", "dense", "quantised", "value", "within", "detail"),
    [
        (1.0, 4.0, 2.0, "0.250", "0.500 against 8-bit activations", "4.00 times cheaper than"),
        (8.0, 4.0, 0.0, "2.00", "", "2.00 times dearer than"),
        (0.0, 4.0, 2.0, "0", "0 against 8-bit activations", "Nothing is spent on spikes."),
        (1.0, 0.0, 2.0, "", "", "Not known"),
    ],
)
def test_energies_of_zero_are_divided_by_nowhere(
    results, spiking: float, dense: float, quantised: float, value: str, within: str, detail: str
) -> None:
    (subject,) = gather([results.estimated])
    report = subject.energy.report
    spent = {
        **{"spiking_energy_uJ": spiking, "dense_energy_uJ": dense},
        **{"quantised_energy_uJ": quantised, "bits": 8},
    }
    compared = report.comparison.model_copy(update=spent)
    report = report.model_copy(update={"comparison": compared})
    subject.energy = replace(subject.energy, report=report)
    card = verdict.build(subject, None)["cards"][2]
    assert (card.value, card.within) == (value, within)
    assert card.detail.startswith(detail)


def test_energies_have_the_unit_that_suits() -> None:
    told = [energy(value) for value in (0.0, 2e-7, 0.0123, 1.1328, 30642.0, 4.5e6)]
    assert told == ["0 pJ", "0.2000 pJ", "12.30 nJ", "1.133 \u00b5J", "30.64 mJ", "4.500 J"]


def test_accuracy_of_the_report_stands_in_for_an_evaluation(results) -> None:
    (subject,) = gather([results.estimated])
    found = subject.energy.report.accuracy
    assert isinstance(found, Accuracy)
    card = verdict.build(subject, None)["cards"][0]
    assert card.value == f"{100 * found.top1:.2f} %"
