"""Every event file that must be refused, and what is said."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import event_files
import h5py
import numpy as np
import pytest

from spikeport.core.errors import FileError
from spikeport.train.data.readers import read_events
from spikeport.train.data.recordings import EVENT_DTYPE

EVENTS = event_files.random_events(40)


def _refused(path: Path, why: str) -> FileError:
    with pytest.raises(FileError, match=why) as caught:
        read_events(path)
    assert str(path) in caught.value.where and caught.value.fix
    return caught.value


def test_files_that_are_none(tmp_path: Path) -> None:
    _refused(tmp_path / "none.raw", "does not exist")
    (tmp_path / "empty.bin").write_bytes(b"")
    _refused(tmp_path / "empty.bin", "empty")
    (tmp_path / "notes.txt").write_text("hello")
    assert "aedat4" in _refused(tmp_path / "notes.txt", "known format").fix
    (tmp_path / "bare.raw").write_bytes(b"\x01\x80\x05\x60")
    _refused(tmp_path / "bare.raw", "EVT 2 or EVT 3")


@pytest.mark.parametrize("name", ["evt2", "evt3", "dat"])
def test_events_outside_the_stated_sensor(name: str, tmp_path: Path) -> None:
    """The header is made to state a smaller one."""
    path = event_files.write_as(name, tmp_path, EVENTS)
    smaller = {
        "evt2": (b"width=128", b"width=100", b"128x128", b"100x128"),
        "evt3": (b"width=128", b"width=100", b"128x128", b"100x128"),
        "dat": (b"Width 128", b"Width 100"),
    }
    content = path.read_bytes()
    pairs = smaller[name]
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in content
        content = content.replace(old, new)
    path.write_bytes(content)
    _refused(path, r"x ?= ?1\d\d,? (outside the sensor of|must be strictly smaller than width=)")


def test_other_versions_and_cameras_of_aedat(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat"
    path.write_bytes(b"#!AER-DAT2.0\r\n# HardwareInterface: DAVIS346\r\n" + bytes(16))
    _refused(path, "another camera")
    path.write_bytes(b"#!AER-DAT2.0\r\n" + b"\x80" * 16)
    assert _refused(path, "none of a DVS128").where.endswith("byte 14")
    path.write_bytes(b"#!AER-DAT1.0\r\n" + bytes(16))
    _refused(path, "version is 1")
    path.write_bytes(b"#!AER-DAT3.0\r\n" + bytes(16))
    _refused(path, "AEDAT 3.1 is read")


def test_columns_without_names_are_not_guessed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((5, 4), np.int64))
    assert ".npz" in _refused(tmp_path / "a.npy", "in any order").fix
    np.savez(tmp_path / "a.npz", x=EVENTS["x"], y=EVENTS["y"], t=EVENTS["t"])
    _refused(tmp_path / "a.npz", "has no p; its fields are x, y, t")
    (tmp_path / "a.csv").write_text("x,y,t,time,p\n1,1,1,1,1\n")
    _refused(tmp_path / "a.csv", "t is there as t and time")


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("x", -1, "x = -1"),
        ("y", 40_000, "y = 40000"),
        ("p", 2, "polarity 2"),
        ("t", 1 << 62, "range of time stamps"),
    ],
)
def test_values_that_no_event_has(field: str, value: int, why: str, tmp_path: Path) -> None:
    columns = {name: EVENTS[name].astype(np.int64) for name in "xytp"}
    columns[field][7] = value
    np.savez(tmp_path / "a.npz", **columns)  # type: ignore[arg-type]
    assert "event 7" in _refused(tmp_path / "a.npz", why).why


def test_numbers_that_are_not_whole(tmp_path: Path) -> None:
    columns = {name: EVENTS[name].astype(np.float64) for name in "xytp"}
    np.savez(tmp_path / "whole.npz", **columns)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_events(tmp_path / "whole.npz").events, EVENTS)
    columns["t"] *= 1e-6
    np.savez(tmp_path / "seconds.npz", **columns)  # type: ignore[arg-type]
    _refused(tmp_path / "seconds.npz", "in seconds")
    (tmp_path / "a.csv").write_text("x,y,t,p\n1,1,1.5,1\n")
    _refused(tmp_path / "a.csv", "no table of whole numbers")
    np.savez(tmp_path / "mixed.npz", **{**columns, "t": EVENTS["t"], "p": EVENTS["t"] % 3 - 1})
    _refused(tmp_path / "mixed.npz", "-1, 0 and 1 are mixed")


def test_headers_that_promise_too_much_take_no_memory(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": (1 << 40,)}
    np.lib.format.write_array_header_1_0(buffer, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in "xytp":
            archive.writestr(f"{name}.npy", buffer.getvalue() + bytes(8))
    _refused(tmp_path / "a.npz", "does not hold")
    (tmp_path / "a.npy").write_bytes(buffer.getvalue() + bytes(8))
    _refused(tmp_path / "a.npy", "numpy cannot read it")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "xytp":
            file.create_dataset(f"events/{name}", (1 << 40,), np.int64, chunks=(1024,))
    _refused(tmp_path / "a.h5", "should hold")


@pytest.mark.parametrize("size", [(0, 8), (32767, 32767), (1 << 31, 1 << 31)])
def test_sensors_that_no_camera_has(size: tuple[int, int], tmp_path: Path) -> None:
    columns = {name: EVENTS[name] for name in "xytp"}
    np.savez(tmp_path / "a.npz", sensor_size=size, **columns)  # type: ignore[arg-type]
    _refused(tmp_path / "a.npz", f"a sensor of {size[0]} x {size[1]} pixels")


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"x": 1}]), allow_pickle=True)
    _refused(tmp_path / "a.npy", "numpy cannot read it")
    np.savez(tmp_path / "a.npz", x=np.array([{"x": 1}]))
    _refused(tmp_path / "a.npz", "does not hold")


def test_hdf5_that_leads_elsewhere_or_cannot_be_unpacked(tmp_path: Path) -> None:
    event_files.write_as("hdf5", tmp_path, EVENTS, "whole")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["events"] = h5py.ExternalLink("whole.h5", "/events")
    _refused(tmp_path / "link.h5", "another file")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in "xytp":
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((20,))
            # Blosc, where hdf5plugin has not been imported.
            creation.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
            space = h5py.h5s.create_simple((20,))
            group = file.require_group("events")
            h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_INT64, space, creation)
    _refused(tmp_path / "a.h5", r"filter Blosc \(32001\)")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        for place, name in enumerate("xytp"):
            file[f"events/{name}"] = np.zeros(5 + place, np.int64)
    _refused(tmp_path / "b.h5", "not equally long")


def test_structured_hdf5_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["CD/events"] = EVENTS.astype(EVENT_DTYPE)
    np.testing.assert_array_equal(read_events(tmp_path / "a.h5").events, EVENTS)


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("npy", "numpy.load"),
        ("npz", "spikeport.train.data.readers.arrays._columns"),
        ("npz", "spikeport.train.data.readers.arrays.ExitStack"),
        ("hdf5", "spikeport.train.data.readers.hdf5._check"),
        ("csv", "pandas.read_csv"),
        ("aedat4", "faery.events_stream_from_file"),
    ],
)
def test_too_little_memory_is_no_damage(
    name: str, reads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With skip_bad, a sound recording would be left out of what is kept for the next time."""
    path = event_files.write_as(name, tmp_path, EVENTS)

    def fails(*_: object, **__: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(reads, fails)
    with pytest.raises(MemoryError, match="no room"):
        read_events(path)
