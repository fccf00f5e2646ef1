"""Recordings in a folder, by the folder's name alone."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import event_files
import numpy as np
import pytest

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.train.data import open_data
from spikeport.train.data.frames import to_frames


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every format once in each split; class b in "train" has one more."""
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "events"
    for index, name in enumerate(event_files.WRITERS):
        for split in ("train", "test"):
            events = event_files.random_events(100 + index, seed=index)
            event_files.write_as(name, root / split / "ab"[index % 2], events, name)
    event_files.write_as("npz", root / "train" / "b", event_files.random_events(50), "more")
    (root / "train" / "b" / ".hidden").write_text("not a recording")
    return root


def test_every_format_is_framed_and_labelled(folder: Path) -> None:
    data = open_data(f"folder:{folder}", "train", steps=4)
    assert data.classes == ("a", "b") and data.frame_shape == (4, 2, 128, 128)
    assert data.labels.tolist() == [0] * 6 + [1] * 7
    assert data.name == f"folder:{folder}/train" and data.frames.dtype == np.uint8
    assert "largest extent" in data.provenance and not data.skipped
    names = sorted(list(event_files.WRITERS)[::2])
    for place, name in enumerate(names):
        index = list(event_files.WRITERS).index(name)
        events = event_files.random_events(100 + index, seed=index)
        expected = to_frames(events, (128, 128, 2), 4, "count")
        np.testing.assert_array_equal(data.frames[place], expected)


def test_frames_are_cached_until_a_file_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = f"folder:{folder}"
    first = open_data(spec, "test", steps=2)
    with monkeypatch.context() as patched:
        patched.setattr("spikeport.train.data.folder.read_events", None)
        again = open_data(spec, "test", steps=2)
    np.testing.assert_array_equal(first.frames, again.frames)
    changed = folder / "test" / "b" / "npy.npy"
    np.save(changed, event_files.random_events(333, seed=9))
    assert open_data(spec, "test", steps=2).frames.sum(dtype=int) != again.frames.sum(dtype=int)


def test_damaged_cache_is_told_and_built_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = f"folder:{folder}"
    first = np.array(open_data(spec, "test", steps=2).frames)
    (cached,) = (folder.parent / "cache").glob("frames-*.npy")
    cached.write_bytes(cached.read_bytes()[:-7] + b"changed")
    with caplog.at_level(logging.WARNING):
        again = open_data(spec, "test", steps=2)
    np.testing.assert_array_equal(first, again.frames)
    assert "built again" in caplog.text


def test_bad_files_are_refused_by_name_or_skipped_and_listed(folder: Path) -> None:
    bad = folder / "test" / "a" / "evt3_cut.raw"
    bad.write_bytes(b"% evt 3.0\n% end\n\x00")
    with pytest.raises(FileError, match="byte 16") as caught:
        open_data(f"folder:{folder}", "test", steps=2)
    assert str(bad) in caught.value.where
    data = open_data(f"folder:{folder}", "test", steps=2, skip_bad=True)
    assert len(data) == len(event_files.WRITERS) == len(data.labels)
    assert len(data.skipped) == 1 and str(bad) in data.skipped[0]
    assert "1 bad recordings left out" in data.provenance
    again = open_data(f"folder:{folder}", "test", steps=2, skip_bad=True)
    assert again.skipped == data.skipped


def test_repairs_are_listed(folder: Path) -> None:
    events = event_files.random_events(60)
    np.save(folder / "test" / "a" / "back.npy", events[::-1])
    data = open_data(f"folder:{folder}", "test", steps=2)
    assert len(data.repaired) == 1 and "sorted by time" in data.repaired[0]


def test_the_sensor_may_be_stated(folder: Path) -> None:
    description = folder / "dataset.json"
    description.write_text(json.dumps({"sensor_size": [160, 130], "provenance": "made up"}))
    data = open_data(f"folder:{folder}", "test", steps=1)
    assert data.frame_shape == (1, 2, 130, 160)
    assert data.provenance.startswith("made up; sensor of 160 x 130 pixels (stated in dataset")
    description.write_text(json.dumps({"sensor_size": [60, 130]}))
    with pytest.raises(FileError, match="outside the sensor of 60 x 130"):
        open_data(f"folder:{folder}", "test", steps=1)
    description.write_text(json.dumps({"sensor_size": [32767, 32767]}))
    with pytest.raises(UsageError, match="1 frames of 32767 x 32767 pixels take 16 GiB"):
        open_data(f"folder:{folder}", "test", steps=1)
    for wrong in ('{"sensor_size": [0, 5]}', "[1]", "{", '{"provenance": 3}'):
        description.write_text(wrong)
        with pytest.raises(FileError, match="sensor_size as"):
            open_data(f"folder:{folder}", "test", steps=1)


def test_counts_beyond_a_byte_are_kept(folder: Path) -> None:
    events = event_files.random_events(900)
    events["x"] = events["y"] = 1
    events["p"] = True
    np.save(folder / "test" / "b" / "zz.npy", events)
    data = open_data(f"folder:{folder}", "test", steps=1)
    assert data.frames[-1, 0, 1, 1, 1] == 900
    assert data.frames[0].sum(dtype=int) == 106


def test_folders_of_another_layout_are_told(tmp_path: Path, folder: Path) -> None:
    for path, why in (
        (tmp_path / "none", "does not exist"),
        (folder / "train", "no class folders"),
    ):
        with pytest.raises(FileError, match=why) as caught:
            open_data(f"folder:{path}", "test", steps=1)
        assert "train/CLASS/*" in caught.value.fix
    with pytest.raises(UnknownNameError, match="Did you mean test"):
        open_data(f"folder:{folder}", "tests", steps=1)
    with pytest.raises(FileError, match="folder:PATH"):
        open_data("folder", "test", steps=1)
    with pytest.raises(UsageError, match="none is bad"):
        open_data("digits", "test", steps=1, skip_bad=True)
    shutil.rmtree(folder / "test" / "a")
    assert open_data(f"folder:{folder}", "test", steps=1).labels.tolist() == [1] * 6
