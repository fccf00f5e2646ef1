"""Sources, and what they must not yield."""

from __future__ import annotations

from pathlib import Path

import event_files
import numpy as np
import pytest
from event_sources import Packets, steady, write_long_evt3, write_long_npz

from spikeport.core.errors import FileError, UsageError
from spikeport.train.data.readers import arrays, read_events
from spikeport.train.data.recordings import Events
from spikeport.train.data.stream import CheckedSource, FileSource


@pytest.mark.parametrize("name", event_files.WRITERS)
def test_a_file_gives_its_events_each_time(name: str, tmp_path: Path) -> None:
    events = event_files.random_events()
    source = FileSource(event_files.write_as(name, tmp_path, events))
    assert source.format == name and source.repairs == ()
    for _ in range(2):
        drawn = list(CheckedSource(source, source.sensor_size).packets())
        np.testing.assert_array_equal(np.concatenate(drawn), events)


@pytest.mark.parametrize("write", [write_long_evt3, write_long_npz])
def test_long_files_are_what_they_should_be(write: object, tmp_path: Path) -> None:
    write(tmp_path / "long", 5000, block=700)  # type: ignore[operator]
    events = read_events(tmp_path / "long").events
    assert events["t"].tolist() == list(range(0, 50_000, 10))
    assert events["x"].tolist() == [n % 8 for n in range(5000)]
    assert events["p"].tolist() == [bool(n // 3 & 1) for n in range(5000)]


@pytest.mark.parametrize("structured", [False, True])
def test_archives_are_unpacked_block_by_block(
    structured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "PACKET", 64)
    events = event_files.random_events(200)
    columns = {"events": events} if structured else {name: events[name] for name in "xytp"}
    np.savez_compressed(tmp_path / "a.npz", **columns)  # type: ignore[arg-type]
    packets = list(FileSource(tmp_path / "a.npz").packets())
    assert [len(packet) for packet in packets] == [64, 64, 64, 8]
    np.testing.assert_array_equal(np.concatenate(packets), events)


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    columns = {name: np.zeros(5 if name == "x" else 6, np.int64) for name in "xytp"}
    np.savez(tmp_path / "a.npz", **columns)  # type: ignore[arg-type]
    with pytest.raises(FileError, match="not equally long"):
        FileSource(tmp_path / "a.npz")


def test_cameras_may_yield_other_integers_and_empty_packets() -> None:
    camera = np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")])
    events, theirs = steady(10), np.empty(10, camera)
    for name in "xypt":
        theirs[name] = events[name]
    drawn = list(CheckedSource(Packets([theirs[:0], theirs]), (8, 8)).packets())
    np.testing.assert_array_equal(np.concatenate(drawn), events)


def test_what_is_repaired_in_a_camera_is_told() -> None:
    signed = np.dtype([("x", "<i2"), ("y", "<i2"), ("p", "<i2"), ("t", "<i8")])
    events, theirs = steady(10), np.empty(10, signed)
    for name in "xyt":
        theirs[name] = events[name]
    theirs["p"] = np.where(events["p"], 1, -1)
    theirs[[2, 3]] = theirs[[3, 2]]
    source = CheckedSource(Packets([theirs]), (8, 8))
    assert source.repairs == ()
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(source.packets())), events)
        late, signs = source.repairs
        assert late == "1 events out of order were sorted by time"
        assert signs == f"{int((~events['p']).sum())} polarities of -1 were read as OFF"


def _moved(field: str, value: int) -> Events:
    events = steady(10)
    events[field][5] = value
    return events


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([_moved("x", 8)], "event 5 has x = 8"),
        ([_moved("y", -1)], "event 5 has y = -1"),
        ([steady(5, first=9000), steady(5)], "time goes back"),
    ],
)
def test_events_that_cannot_be_are_refused(parts: list[Events], why: str) -> None:
    with pytest.raises(FileError, match=why):
        list(CheckedSource(Packets(parts), (8, 8)).packets())


@pytest.mark.parametrize("packet", [np.zeros(3), "events", np.zeros(3, [("x", "i2")])])
def test_what_is_no_array_of_events_is_refused(packet: object) -> None:
    with pytest.raises(UsageError, match="without the field") as caught:
        list(CheckedSource(Packets([packet]), None).packets())  # type: ignore[list-item]
    assert "x, y, t (us) and p" in caught.value.fix
