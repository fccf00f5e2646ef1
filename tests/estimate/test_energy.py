"""Energy models: shipped data, files of users, refusals, evaluation."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Conv, Linear, MaxPool, RepeatTime
from spikeport.core.errors import FileError, UnknownNameError
from spikeport.estimate import ENERGY_MODELS, Tally, Term, energy_model
from spikeport.estimate.energy import DEFAULT_ENERGY_MODEL, Energies

GOOD = """
id = "mine"
title = "My chip"
technology = "22 nm"
precision = "int8"
graded_events = "events"
includes = ["synaptic operations"]
excludes = ["all else"]
[constants.op]
value = 2.5
unit = "nJ"
meaning = "one synaptic operation"
source = "data sheet, page 3"
status = "measured"
verified = true
[[charges]]
count = "sop"
constant = "op"
"""


@pytest.mark.parametrize(
    ("name", "mac", "ac"),
    [
        ("horowitz45-fp32", "4.6", "0.9"),
        ("horowitz45-fp16", "1.5", "0.4"),
        ("horowitz45-int8", "0.23", "0.03"),
        ("horowitz45-int32", "3.2", "0.1"),
    ],
)
def test_shipped_figures(name: str, mac: str, ac: str) -> None:
    model = ENERGY_MODELS[name]
    assert model.price(Term.MAC) == Fraction(Decimal(mac))
    assert model.price(Term.SOP) == Fraction(Decimal(ac))
    assert model.price(Term.NEURON_ADD) == 0
    assert model.constants["mac"].picojoule > model.constants["ac"].picojoule


def test_shipped_models_are_whole() -> None:
    assert DEFAULT_ENERGY_MODEL in ENERGY_MODELS
    for name, model in ENERGY_MODELS.items():
        assert model.id == name
        assert all(constant.source for constant in model.constants.values())
        assert any("static" in each for each in model.left_out)
        covered = (*model.includes, *model.excludes)
        assert any("memory" in each or "accesses" in each or "chip" in each for each in covered)
        assert len(model.describe()) == len(model.constants)


TABLE = {
    "lemaire2022": {"add": "0.1", "mac": "3.2"},
    "step2025": {"mac": "4.6", "ac": "0.9", "memory": "3.12"},
    "horowitz45-memory": {"mac": "4.6", "ac": "0.9", "sram_8k": "10", "sram_1m": "100"},
    "loihi1-davies": {"sop": "23.6", "update_active": "81", "update_inactive": "52"},
    "loihi1-sanafe": {"synapse_conv": "24", "neuron_access": "51.2", "message": "111"},
    "truenorth-merolla": {"sop": "26"},
    "truenorth-akopyan": {"sop": "2.5"},
    "spinnaker1": {"sop": "13300", "update": "26000"},
    "spinnaker2": {"sop": "450", "update": "2190"},
    "tianjic": {"sop": "1.54"},
    "odin": {"sop": "12.7"},
    "reckon": {"sop": "5.3"},
    "ubrain": {"sop": "26"},
    "neuronflow": {"sop": "20"},
    "seneca": {"sop": "2.8"},
    "ann-cpu": {"mac": "8600"},
    "ann-gpu": {"mac": "300"},
    "ann-arm": {"mac": "900"},
}
"""pJ."""


@pytest.mark.parametrize("name", TABLE)
def test_figures_of_the_table(name: str) -> None:
    constants = ENERGY_MODELS[name].constants
    assert {key: constants[key].picojoule for key in TABLE[name]} == {
        key: Fraction(value) for key, value in TABLE[name].items()
    }


def test_every_model_is_tabled_and_loihi_2_is_none_of_them() -> None:
    horowitz = {f"horowitz45-{kind}" for kind in ("fp32", "fp16", "int8", "int32")}
    assert set(ENERGY_MODELS) - set(ENERGY_MODELS.origins) == {*TABLE, *horowitz}
    assert not any("loihi2" in name for name in ENERGY_MODELS)


@pytest.mark.parametrize("name", ENERGY_MODELS)
def test_every_figure_tells_unit_source_and_status(name: str) -> None:
    model = ENERGY_MODELS[name]
    for line, constant in zip(model.describe(), model.constants.values(), strict=True):
        assert constant.unit in line and constant.status.value in line
        assert ("unverified" in line) is not constant.verified
        assert constant.source in model.sources
    assert set(model.unverified) == {n for n, c in model.constants.items() if not c.verified}


def test_ambiguous_sources_are_told() -> None:
    assert "ambiguous" in ENERGY_MODELS["step2025"].note
    assert "64 bits" in ENERGY_MODELS["horowitz45-memory"].note
    assert "truenorth-merolla" in ENERGY_MODELS["truenorth-akopyan"].note


def test_unknown_name_tells_near_matches() -> None:
    with pytest.raises(UnknownNameError, match="horowitz45-fp32"):
        energy_model("horowitz45-fp23")


def test_file_of_a_user(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    model = energy_model(path)
    assert energy_model(str(path)) == model
    assert energy_model(model) is model
    assert model.price(Term.SOP) == 2500


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('unit = "nJ"\n', "", "constants.op.unit"),
        ('source = "data sheet, page 3"\n', "", "constants.op.source"),
        ('status = "measured"\n', "", "constants.op.status"),
        ("value = 2.5\n", "", "constants.op.value"),
        ("verified = true\n", "", "constants.op.verified"),
        ('source = "data sheet, page 3"', 'source = ""', "constants.op.source"),
        ('unit = "nJ"', 'unit = "mW"', "constants.op.unit"),
        ('status = "measured"', 'status = "guessed"', "constants.op.status"),
        ("value = 2.5", "value = -1", "constants.op.value"),
        ("value = 2.5", "value = nan", "constants.op.value"),
        ("value = 2.5", "value = inf", "constants.op.value"),
        ('excludes = ["all else"]\n', "", "excludes"),
        ('constant = "op"', 'constant = "other"', "not there"),
        ('count = "sop"', 'count = "sops"', "charges.0.count"),
        ('precision = "int8"', 'precision = "int8"\nspeed = 3', "speed"),
        ('constant = "op"', "", "constant or a memory"),
        ('constant = "op"', 'constant = "op"\nmemory = "weights"', "constant or a memory"),
        ('constant = "op"', 'memory = "weights"', "no table of sizes"),
        ('constant = "op"', 'constant = "op"\nhops = "east_west"', "routing"),
        (
            "[constants.op]",
            '[memory]\nbetween = "next"\nsizes = []\n[constants.op]',
            "memory.sizes",
        ),
        ("[[charges]]", '[[charges]]\ncount = "sop"\nconstant = "op"\n[[charges]]', "twice"),
        ('id = "mine"', "id = ", "not TOML"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, old: str, new: str, names: str) -> None:
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FileError, match=names) as caught:
        energy_model(path)
    assert caught.value.where == str(path)
    assert caught.value.fix


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        energy_model(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="UTF-8"):
        energy_model(tmp_path / "binary.toml")


def test_formula_is_exact(count_chain: Callable[..., Tally]) -> None:
    x = torch.ones(3, 2, 5)
    tally = count_chain(x, Domain.SPIKE, Linear(torch.ones(7, 5), torch.ones(7)))
    energies = Energies(tally, ENERGY_MODELS["horowitz45-fp32"])
    assert energies.total("layer") == Fraction(9, 10) * 3 * 2 * 5 * 7
    assert energies.per_sample("layer").tolist() == pytest.approx([94.5, 94.5])
    assert [float(each) for each in energies.per_step("layer")] == [63.0, 63.0, 63.0, 0.0]
    assert Term.BIAS_ADD in energies.uncharged()
    assert Term.SOP not in energies.uncharged()


def test_pooling_of_currents_is_charged(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(torch.rand(1, 1, 1, 4, 4), Domain.REAL, MaxPool((2, 2), (2, 2), (0, 0)))
    energies = Energies(tally, ENERGY_MODELS["horowitz45-fp32"])
    assert energies.total("layer") == Fraction(9, 10) * 4 * 3


def test_graded_events_as_the_model_says(count_chain: Callable[..., Tally], tmp_path: Path) -> None:
    x = torch.tensor([3.0, 0.0, 1.0]).reshape(1, 1, 3)
    tally = count_chain(x, Domain.GRADED, Linear(torch.ones(2, 3), None))
    assert Energies(tally, ENERGY_MODELS["horowitz45-fp32"]).total("layer") == Fraction(9, 10) * 8
    (tmp_path / "mine.toml").write_text(GOOD)
    assert Energies(tally, energy_model(tmp_path / "mine.toml")).total("layer") == 2500 * 4


def test_static_image_executed_or_hoisted(count_chain: Callable[..., Tally]) -> None:
    op = Conv(torch.ones(1, 1, 1, 1), None, (1, 1), (0, 0), (1, 1))
    tally = count_chain(torch.rand(1, 1, 2, 2), Domain.REAL, RepeatTime(4), op, per_step=False)
    model = ENERGY_MODELS["horowitz45-fp32"]
    assert Energies(tally, model).total("layer") == Fraction(46, 10) * 16
    assert Energies(tally, model, "hoisted").total("layer") == Fraction(46, 10) * 4
