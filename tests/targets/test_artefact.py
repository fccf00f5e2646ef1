"""Folders of lowered networks."""

from __future__ import annotations

import json

import pytest
import torch

from spikeport.core.errors import FileError, UsageError
from spikeport.targets.lava import LavaArtefact


def test_written_and_read_again(max_former, tmp_path):
    max_former.artefact.save(tmp_path / "net")
    assert sorted(p.name for p in (tmp_path / "net").iterdir()) == [
        "README.txt", "graph.spg", "report.json", "schedule.json",
    ]  # fmt: skip
    again = LavaArtefact.load(tmp_path / "net")
    frames = max_former.frames
    assert torch.equal(again.executor().run(frames), max_former.artefact.executor().run(frames))
    assert again.schedule == max_former.artefact.schedule
    assert again.report.rows == max_former.artefact.report.rows
    text = (tmp_path / "net" / "README.txt").read_text()
    assert "N T + 7 steps" in text
    assert "On the host, in float: mean_time, head" in text
    assert "simulation only" in text.lower()
    assert "matmul" in text


def test_weights_are_whole_numbers_in_the_file(small_chain, tmp_path):
    small_chain.artefact.save(tmp_path)
    again = LavaArtefact.load(tmp_path)
    assert again.graph["first"].op.weight.dtype == torch.int32


@pytest.mark.parametrize("name", ["report.json", "schedule.json"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "other"}',
        '{"format": "spikeport-lava", "version": 9}',
        '{"format": "spikeport-lava", "version": 1}',
    ],
)
def test_damaged_files_are_refused(small_chain, tmp_path, name, text):
    small_chain.artefact.save(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(FileError, match=name):
        LavaArtefact.load(tmp_path)


def test_missing_files_are_refused(small_chain, tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        LavaArtefact.load(tmp_path)
    small_chain.artefact.save(tmp_path)
    (tmp_path / "report.json").unlink()
    with pytest.raises(FileError, match=r"report\.json"):
        LavaArtefact.load(tmp_path)


def test_schedule_of_another_graph_is_refused(small_chain, max_former, tmp_path):
    small_chain.artefact.save(tmp_path)
    other = {"format": "spikeport-lava", "version": 2, **max_former.artefact.schedule.as_json()}
    (tmp_path / "schedule.json").write_text(json.dumps(other))
    with pytest.raises(FileError, match="does not belong"):
        LavaArtefact.load(tmp_path)


def test_float_graph_in_the_folder_is_refused(small_chain, tmp_path):
    small_chain.artefact.save(tmp_path)
    small_chain.graph.save(tmp_path / "graph.spg")
    with pytest.raises(UsageError, match="has not been lowered"):
        LavaArtefact.load(tmp_path)
