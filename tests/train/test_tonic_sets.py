"""Published layouts, faked with event digits and read by the real classes of Tonic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import event_files
import numpy as np
import pytest
import scipy.io

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.train.data import DATA, open_data
from spikeport.train.data.digits import EventDigits
from spikeport.train.data.frames import to_frames
from spikeport.train.data.recordings import Events
from spikeport.train.data.tonic_sets import TONIC_SETS


@pytest.fixture(scope="module")
def digits() -> list[Events]:
    test = EventDigits(split="test")
    return [test[index][0] for index in range(24)]


def _columns(events: Events, order: str, scale: int = 1) -> np.ndarray:
    return np.stack([events[n].astype(np.int64) // (scale if n == "t" else 1) for n in order], 1)


def _cifar(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits):
        label, number = ("airplane", "frog")[place % 2], place // 2
        event_files.write_as(
            "aedat4", root / "CIFAR10DVS" / label, events, f"cifar10_{label}_{number}"
        )
    # 12 of each: 10 and 2.
    planes, frogs = digits[::2], digits[1::2]
    return {"train": planes[:10] + frogs[:10], "test": planes[10:] + frogs[10:]}


def _gesture(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:4]):
        split, user = ("Train", 1) if place < 2 else ("Test", 24)
        folder = root / "DVSGesture" / f"ibmGesture{split}" / f"user{user:02d}_led"
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{place % 2}.npy", _columns(events, "xypt", 1000))
    cut = [events.copy() for events in digits[:4]]
    for events in cut:
        events["t"] = events["t"] // 1000 * 1000
    return {"train": cut[:2], "test": cut[2:]}


def _nmnist(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:4]):
        split = ("Train", "Test")[place // 2]
        folder = root / "NMNIST" / split / str(place % 2)
        event_files.write_as("nmnist", folder, events, f"{place:05d}")
    return {"train": digits[:2], "test": digits[2:4]}


def _caltech(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:20]):
        folder = root / "NCALTECH101" / "Caltech101" / ("ant", "zebra")[place // 10]
        event_files.write_as("nmnist", folder, events, f"image_{place % 10 + 1:04d}")
    moved = [events.copy() for events in digits[:20]]
    for events in moved:
        events["x"] -= events["x"].min()
        events["y"] -= events["y"].min()
    return {"train": moved[:9] + moved[10:19], "test": [moved[9], moved[19]]}


def _asl(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:10]):
        folder = root / "ASLDVS" / "Yin_1" / "ab"[place // 5]
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"ts": events["t"], "x": events["x"], "y": 179 - events["y"], "pol": events["p"]}
        stored = {name: column[:, None].astype(np.int64) for name, column in columns.items()}
        scipy.io.savemat(folder / f"x_{place % 5:04d}.mat", stored)
    return {"train": digits[:4] + digits[5:9], "test": [digits[4], digits[9]]}


def _lip(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:4]):
        split, word = ("train", "test")[place // 2], ("accused", "young")[place % 2]
        folder = root / "DVSLip" / "DVS-Lip" / split / word
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "0.npy", events)
    return {"train": digits[:2], "test": digits[2:4]}


def _poker(root: Path, digits: list[Events]) -> dict[str, list[Events]]:
    for place, events in enumerate(digits[:4]):
        folder = (
            root / "POKERDVS" / ("pips_train", "pips_test")[place // 2] / ("cl", "sp")[place % 2]
        )
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "0.npy", _columns(events, "txyp"))
    return {"train": digits[:2], "test": digits[2:4]}


LAYOUTS: dict[str, Callable[[Path, list[Events]], dict[str, list[Events]]]] = {
    "cifar10-dvs": _cifar,
    "dvs128-gesture": _gesture,
    "n-mnist": _nmnist,
    "n-caltech101": _caltech,
    "asl-dvs": _asl,
    "dvs-lip": _lip,
    "poker-dvs": _poker,
}


@pytest.mark.parametrize("name", TONIC_SETS)
def test_layout_is_read_by_the_class_of_tonic(
    name: str, digits: list[Events], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path / "cache"))
    entry = TONIC_SETS[name]
    splits = LAYOUTS[name](tmp_path, digits)
    size = (*entry.sensor, 2)
    for split, recordings in splits.items():
        data = open_data(f"{name}:{tmp_path}", split, steps=2)
        wanted = {to_frames(events, size, 2, "count").tobytes() for events in recordings}
        assert len(data) == len(recordings) == len(wanted)
        assert {np.array(frames).tobytes() for frames in data.frames} == wanted
        assert len(set(data.labels.tolist())) == 2 and max(data.labels) < len(data.classes)
        assert entry.split_rule in data.provenance and split in data.provenance
    # The folder itself may be named as well.
    inside = open_data(f"{name}:{tmp_path / entry.cls}", "test", steps=2)
    np.testing.assert_array_equal(inside.labels, data.labels)


@pytest.mark.parametrize("name", TONIC_SETS)
def test_missing_folders_tell_tree_size_and_page(name: str, tmp_path: Path) -> None:
    entry = TONIC_SETS[name]
    for spec in (name, f"{name}:{tmp_path / 'nothing'}", f"{name}:{tmp_path}"):
        with pytest.raises(FileError) as caught:
            open_data(spec, "test", steps=2)
        assert entry.page in caught.value.fix and entry.tree in caught.value.fix
        assert entry.size in caught.value.fix
    with pytest.raises(UnknownNameError, match="test"):
        open_data(f"{name}:{tmp_path}", "tests", steps=2)
    assert DATA[name].description == entry.title


def test_first_nine_tenths_go_by_number(tmp_path: Path, digits: list[Events]) -> None:
    """cifar10_frog_10 comes after cifar10_frog_9, though not in the alphabet."""
    splits = _cifar(tmp_path, digits)
    data = open_data(f"cifar10-dvs:{tmp_path}", "test", steps=1)
    expected = [to_frames(events, (128, 128, 2), 1, "count") for events in splits["test"]]
    np.testing.assert_array_equal(data.frames, expected)
    assert data.labels.tolist() == [0, 0, 6, 6]


def test_bad_recordings_are_refused_or_skipped(tmp_path: Path, digits: list[Events]) -> None:
    _cifar(tmp_path, digits)
    bad = tmp_path / "CIFAR10DVS" / "frog" / "cifar10_frog_11.aedat4"
    bad.write_bytes(bad.read_bytes()[:2_000])
    with pytest.raises(FileError, match="cifar10_frog_11"):
        open_data(f"cifar10-dvs:{tmp_path}", "test", steps=1)
    data = open_data(f"cifar10-dvs:{tmp_path}", "test", steps=1, skip_bad=True)
    assert data.labels.tolist() == [0, 0, 6] and len(data.skipped) == 1
