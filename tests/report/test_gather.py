"""Which results belong together, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from spikeport.core.errors import FileError, UsageError
from spikeport.report import gather
from spikeport.report.artefacts import reading


def changed(source: Path, target: Path, change: Callable[[dict], None]) -> None:
    value = json.loads(source.read_text())
    change(value)
    target.write_text(json.dumps(value))


@pytest.fixture
def estimated(results, tmp_path: Path) -> Path:
    return Path(shutil.copytree(results.estimated, tmp_path / "estimated"))


def test_results_of_one_graph_are_put_together(results) -> None:
    (subject,) = gather(results.all)
    assert [each.kind for each in subject.artefacts] == [
        *("energy report", "evaluation", "sweep over widths", "spectra"),
        *("checkpoint", "lowered network", "lowered network"),
    ]


def test_a_folder_of_folders_is_looked_into(results) -> None:
    (subject,) = gather([results.folder])
    assert len(subject.artefacts) == 7


def test_results_of_another_graph_stand_apart(results, estimated: Path) -> None:
    for name in ("report.json", "network.json"):
        path = estimated / name
        changed(path, path, lambda value: value["origin"].update(graph_sha256="0" * 64))
    names = [each.name for each in gather([results.estimated, estimated])]
    assert names == ["max_former_digits", "max_former_digits (2)"]


def test_names_given_by_the_user_decide(results) -> None:
    both = gather([f"a={results.estimated}", f"b={results.lava}", f"a={results.evaluated}"])
    assert [each.name for each in both] == ["a", "b"]
    assert both[0].evaluation is not None


def test_two_of_a_kind_are_refused(results, estimated: Path) -> None:
    with pytest.raises(UsageError, match="two of the kind energy report"):
        gather([results.estimated, estimated])


def test_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to report on"):
        gather([])


def test_a_folder_without_results_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").touch()
    with pytest.raises(FileError, match=r"nothing in this folder is known: holiday\.txt"):
        gather([tmp_path])
    with pytest.raises(FileError, match="no such folder"):
        gather([tmp_path / "missing"])


def test_a_later_version_is_refused(estimated: Path) -> None:
    path = estimated / "network.json"
    changed(path, path, lambda value: value.update(version=2))
    with pytest.raises(FileError, match="format is spikeport-network 2, not spikeport-network 1"):
        gather([estimated])


def test_a_network_of_another_report_is_refused(estimated: Path) -> None:
    path = estimated / "network.json"
    changed(path, path, lambda value: value["origin"].update(seed="7"))
    with pytest.raises(FileError, match="belongs to another report"):
        gather([estimated])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"format": "spikeport-energy", "version": 1, "steps": NaN}', "NaN is no number"),
        ('{"format": "spikeport-energy", "version": 1}', "headline: Field required"),
    ],
)
def test_damaged_reports_are_refused(estimated: Path, text: str, told: str) -> None:
    (estimated / "report.json").write_text(text)
    with pytest.raises(FileError, match=told):
        gather([estimated])


def test_a_file_that_is_far_too_large_is_not_read(estimated: Path, monkeypatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 100)
    with pytest.raises(FileError, match="larger than 100 bytes"):
        gather([estimated])


def test_an_evaluation_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text('{"format": "spikeport-evaluation", "version": 99}')
    with pytest.raises(FileError, match="format is spikeport-evaluation 99"):
        gather([tmp_path])
    with pytest.raises(FileError, match="neither a folder nor a checkpoint"):
        gather([path])


def test_a_sweep_is_found_by_what_it_holds(results, tmp_path: Path) -> None:
    told = (results.widths / "bits.json").read_text()
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "any name.json").write_text(told)
    (subject,) = gather([tmp_path])
    (alone,) = gather([tmp_path / "any name.json"])
    assert subject.widths.source == alone.widths.source == tmp_path / "any name.json"
    assert subject.name == "max_former_digits"
    assert "simulated events" in subject.provenance
    sweep = pd.DataFrame(json.loads(told)["rows"]).assign(energy_model="loihi1-davies")
    sweep.to_csv(tmp_path / "bits.csv", index=False)
    with pytest.raises(FileError, match=r"2 sweeps over widths: any name\.json, bits\.csv"):
        gather([tmp_path])
    with pytest.raises(FileError, match="nor a table of evaluate --bits"):
        gather([tmp_path / "notes.json"])


def test_spectra_of_another_version_are_refused(results, tmp_path: Path) -> None:
    source = results.spectrum / "spectrum.json"
    changed(source, tmp_path / "spectrum.json", lambda value: value.update(version=2))
    with pytest.raises(FileError, match="format is spikeport-spectrum 2, not spikeport-spectrum 1"):
        gather([tmp_path])


def test_a_changed_manifest_is_refused(results, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(results.lava, tmp_path / "lava"))
    path = folder / "manifest.json"
    changed(path, path, lambda value: value.update(version=9))
    with pytest.raises(FileError, match="manifest is unusable"):
        gather([folder])


def test_a_checkpoint_of_others_is_refused(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"w": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="neither a folder nor a checkpoint"):
        gather([tmp_path / "w.safetensors"])
    (tmp_path / "w.safetensors").write_bytes(b"no tensors")
    with pytest.raises(FileError, match="safetensors file is unusable"):
        gather([tmp_path])
