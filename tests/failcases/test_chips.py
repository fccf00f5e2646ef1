"""Chip files that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.estimate.capacity import chip_named


def figure(table: str, value: float = 4) -> str:
    return (
        f'[{table}]\nvalue = {value}\nunit = "x"\nmeaning = "m"\nsource = "s"\n'
        'status = "derived"\nverified = true\n'
    )


GOOD = (
    'id = "mine"\ntitle = "Mine"\nplacement = "shared_cores"\n'
    + figure("cores")
    + figure("weight_bits")
    + figure("per_core.neurons")
)


def test_a_file_of_a_user(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    assert chip_named(tmp_path / "mine.toml").cores.count == 4


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('[cores]\nvalue = 4\nunit = "x"\n', "[cores]\nvalue = 4\n", "cores.unit"),
        ('[cores]\nvalue = 4\nunit = "x"\nmeaning = "m"\nsource = "s"', "[cores]", "cores.source"),
        ("[cores]\nvalue = 4", "[cores]\nvalue = 0", "cores.value"),
        ("[cores]\nvalue = 4", "[cores]\nvalue = 1.5", "cores.value"),
        ("per_core.neurons", "per_core.neurones", "per_core.neurones"),
        ('"shared_cores"', '"layer_per_core"', "one for each core"),
        ('title = "Mine"', 'title = "Mine"\ncolour = 1', "colour"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, names: str) -> None:
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(FileError, match=names):
        chip_named(path)


def test_unknown_chip() -> None:
    with pytest.raises(UnknownNameError, match="loihi2"):
        chip_named("loihi3")
