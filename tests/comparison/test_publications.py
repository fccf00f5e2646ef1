"""Published tables: figures are those that are printed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from spikeport.comparison.publications import ALL, Convention, publications, published
from spikeport.core.errors import UnknownNameError


def test_tables_are_complete() -> None:
    sizes = {name: len(table.rows) for name, table in publications().items()}
    assert sizes == {
        "max-former-imagenet": 20,
        "max-former-small": 27,
        "qkformer": 6,
        "spike-driven-transformer": 5,
        "spikformer": 6,
        "spikingformer": 3,
    }
    assert len(published(ALL)) == sum(sizes.values())


# Sums of the printed columns: a figure that was changed or lost changes one.
@pytest.mark.parametrize(
    ("name", "energy", "top1"),
    [
        ("max-former-imagenet", "362.41", "1552.26"),
        ("spikformer", "102.444", "445.37"),
        ("spikingformer", "25.83", "223.09"),
        ("qkformer", "262.46", "497.65"),
        ("spike-driven-transformer", "23.58", "372.69"),
        ("max-former-small", "0", "2396.80"),
    ],
)
def test_sums_are_those_of_the_printed_columns(name: str, energy: str, top1: str) -> None:
    rows = publications()[name].rows
    assert sum(row.energy_mj or 0 for row in rows) == Decimal(energy)
    assert sum(row.top1 for row in rows) == Decimal(top1)


def test_single_figures() -> None:
    rows = {(each.table, each.row.name): each for each in published(ALL)}
    best = rows["max-former-imagenet", "Max-Former 10-768 T=4"]
    assert (best.row.energy_mj, best.row.top1) == (Decimal("14.87"), Decimal("82.39"))
    assert best.row.energy_uj == 14_870.0
    assert best.row.accuracy == pytest.approx(0.8239)
    assert best.convention is Convention.ONCE
    assert best.row.data == "ImageNet-1k"
    old = rows["max-former-imagenet", "Spikformer 8-768 T=4"]
    assert (old.row.energy_mj, old.convention) == (Decimal("21.48"), Convention.EACH_STEP)
    assert rows["qkformer", "QKFormer 10-384 T=4"].convention is Convention.UNKNOWN
    assert not rows["qkformer", "QKFormer 10-512"].row.verified
    assert rows["max-former-imagenet", "MST Swin-T T=512"].row.energy_uj is None


def test_spikformers_energies_hold_one_constant_for_all_widths() -> None:
    for row in publications()["spikformer"].rows:
        if row.kind == "SNN":
            assert row.energy_mj - Decimal("0.9") * row.sop_g == pytest.approx(
                Decimal("1.596"), abs=Decimal("0.002")
            )


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="spikformer"):
        published("spikfomer")
