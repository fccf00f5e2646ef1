"""Every format gives the same array, and only that or a FileError."""

from __future__ import annotations

import hashlib
from pathlib import Path

import aedat
import event_files
import numpy as np
import pytest
import tonic.io
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.core.errors import FileError
from spikeport.train.data.readers import READERS, EventFile, read_events, stream_events
from spikeport.train.data.readers.checks import Checks
from spikeport.train.data.recordings import EVENT_DTYPE, Events

RECORDING = Path(__file__).parents[1] / "golden" / "recordings" / "davis346.aedat4"
STATES_SENSOR = set(event_files.WRITERS) - {"nmnist", "npy", "csv"}
FORMATS = pytest.mark.parametrize("name", event_files.WRITERS)


def test_real_recording_as_its_owner_describes_it() -> None:
    read = read_events(RECORDING)
    assert (read.format, read.sensor_size, read.repairs) == ("aedat4", (346, 260), ())
    assert len(read.events) == 78_830
    assert np.ptp(read.events["t"]) == pytest.approx(2.36e6, rel=1e-3)
    packets = [packet["events"] for packet in aedat.Decoder(RECORDING) if "events" in packet]
    other = np.concatenate(packets)
    for ours, theirs in (("x", "x"), ("y", "y"), ("t", "t"), ("p", "on")):
        np.testing.assert_array_equal(read.events[ours], other[theirs])


@FORMATS
def test_written_then_read(name: str, tmp_path: Path) -> None:
    events = event_files.random_events()
    path = event_files.write_as(name, tmp_path, events)
    read = read_events(path)
    assert read.format == name and read.repairs == ()
    assert read.sensor_size == (event_files.SENSOR if name in STATES_SENSOR else None)
    np.testing.assert_array_equal(read.events, events)
    stream = stream_events(path)
    np.testing.assert_array_equal(np.concatenate(list(stream.packets)), events)
    assert stream.sensor_size == read.sensor_size


@FORMATS
def test_content_decides_where_it_tells(name: str, tmp_path: Path) -> None:
    path = event_files.write_as(name, tmp_path, event_files.random_events())
    other = path.rename(tmp_path / "recording.dat")
    if READERS[name].suffixes:
        with pytest.raises(FileError, match="known format"):
            read_events(other)
    else:
        assert read_events(other).format == name


@FORMATS
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damaged_files_are_told(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"fuzz-{name}"
    path = event_files.write_as(name, folder, event_files.random_events(40))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Headers are where most can go wrong.
        place = data.draw(st.one_of(st.integers(0, 120), st.integers(0, len(content) - 1)))
        kind = data.draw(st.sampled_from(["flip", "set", "cut", "insert"]))
        if kind == "cut":
            content = content[: max(1, min(place, len(content)))]
        elif kind == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=9))
        elif place < len(content):
            value = data.draw(st.integers(0, 255))
            content[place] = value if kind == "set" else content[place] ^ (1 << value % 8)
    path.write_bytes(content)
    try:
        read = read_events(path)
    except FileError as error:
        told = bool(error.where and error.fix)
    else:
        told = True
        _check_sound(read)
    assert told


def _check_sound(read: EventFile) -> None:
    assert read.events.dtype == EVENT_DTYPE
    assert (np.diff(read.events["t"]) >= 0).all()
    if read.sensor_size is not None and len(read.events):
        assert read.events["x"].max() < read.sensor_size[0] and read.events["x"].min() >= 0
        assert read.events["y"].max() < read.sensor_size[1] and read.events["y"].min() >= 0


@pytest.mark.parametrize(
    ("name", "cut", "offset"),
    [("evt2", 3, -1), ("evt3", 1, -1), ("dat", 5, -3), ("nmnist", 2, -3), ("aedat2", 3, -5)],
)
def test_truncated_words_name_the_byte(name: str, cut: int, offset: int, tmp_path: Path) -> None:
    path = event_files.write_as(name, tmp_path, event_files.random_events())
    content = path.read_bytes()[:-cut]
    path.write_bytes(content)
    with pytest.raises(FileError, match="the last word has") as caught:
        read_events(path)
    assert caught.value.where == f"{path}, byte {len(content) + offset}"


def test_truncated_packets_name_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "cut.aedat4"
    path.write_bytes(RECORDING.read_bytes()[:1_000_000])
    with pytest.raises(FileError, match="46594 are there") as caught:
        read_events(path)
    assert caught.value.where == f"{path}, byte 953398"


def test_streaming_takes_no_packet_at_once(tmp_path: Path) -> None:
    path = event_files.write_as("evt3", tmp_path, event_files.random_events(2_000))
    whole = read_events(RECORDING).events
    stream = stream_events(RECORDING)
    assert hashlib.sha256(b"".join(p.tobytes() for p in stream.packets)).hexdigest() == (
        hashlib.sha256(whole.tobytes()).hexdigest()
    )
    assert len(list(stream_events(path).packets)) >= 1


def _evt3(path: Path, words: list[int]) -> Path:
    header = b"% evt 3.0\n% format EVT3;height=720;width=1280\n% end\n"
    path.write_bytes(header + np.array(words, "<u2").tobytes())
    return path


def _rows(events: Events) -> list[tuple[int, int, int, bool]]:
    return [tuple(row) for row in events.tolist()]


def test_evt3_word_by_word(tmp_path: Path) -> None:
    high, low, row, single, base = 0x8000, 0x6000, 0x0000, 0x2000, 0x3000
    words = [
        *(high | 1, low | 5, row | 7, single | 0x800 | 9),
        *(base | 100, 0x4000 | 0b101, 0x5000 | 0b11, base | 0x800 | 50, 0x5000 | 0x80),
        *(high | 0xFFF, single | 8, low | 3, row | 719, single | 1279),
        *(high | 0, low | 4, single | 8, high | 1, low | 2, single | 10),
    ]
    expected = [
        *((9, 7, 4101, True), (100, 7, 4101, False), (102, 7, 4101, False)),
        *((112, 7, 4101, False), (113, 7, 4101, False), (57, 7, 4101, True)),
        *((8, 7, 0xFFF << 12, False), (1279, 719, (0xFFF << 12) + 3, False)),
        *((8, 719, (1 << 24) + 4, False), (10, 719, (1 << 24) + 4096 + 2, False)),
    ]
    assert _rows(read_events(_evt3(tmp_path / "a.raw", words)).events) == expected


def test_evt3_events_without_a_time_are_left_out_and_told(tmp_path: Path) -> None:
    read = read_events(_evt3(tmp_path / "a.raw", [7, 0x2001, 0x6003, 0x2002, 0x8001, 0x2003]))
    assert _rows(read.events) == [(3, 7, 4096, False)]
    assert read.repairs == ("2 events before the first time stamp were left out",)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 0xFFFF), max_size=60),
    st.integers(1, 9),
)
def test_evt3_in_blocks_is_as_word_by_word(words: list[int], block: int) -> None:
    from spikeport.train.data.readers.evt3 import _decode, _State

    words = [0x8001, *words]
    state, found = _State(), []
    for start in range(0, len(words), block):
        part = _decode(np.array(words[start : start + block], np.int64), state)
        found += list(zip(*(part[name].tolist() for name in "xytp"), strict=True))
    assert found == _evt3_by_hand(words)


def _evt3_by_hand(words: list[int]) -> list[tuple[int, int, int, int]]:
    y = low = base = on = epoch = 0
    high: int | None = None
    found = []
    for word in words:
        kind, value = word >> 12, word & 0xFFF
        time = epoch * 2**24 + (high or 0) * 4096 + low
        if kind == 0:
            y = value % 2048
        elif kind == 2:
            found.append((value % 2048, y, time, value // 2048))
        elif kind == 3:
            base, on = value % 2048, value // 2048
        elif kind in (4, 5):
            width = 12 if kind == 4 else 8
            found += [(base + bit, y, time, on) for bit in range(width) if value >> bit & 1]
            base += width
        elif kind == 6:
            low = value
        elif kind == 8:
            epoch += high is not None and high - value > 2048
            high, low = value, 0
    return found


def test_evt2_word_by_word(tmp_path: Path) -> None:
    def high(value: int) -> int:
        return 8 << 28 | value

    def event(on: int, low: int, x: int, y: int) -> int:
        return on << 28 | low << 22 | x << 11 | y

    words = [
        *(high(1), event(1, 5, 9, 7), event(0, 6, 1279, 719)),
        *(high(0xFFFFFFF), event(1, 1, 2, 3), high(0), event(0, 2, 4, 5)),
    ]
    header = b"% evt 2.0\n% format EVT2;height=720;width=1280\n% end\n"
    path = tmp_path / "a.raw"
    path.write_bytes(header + np.array(words, "<u4").tobytes())
    late = (1 << 34) + 2
    expected = [(9, 7, 69, True), (1279, 719, 70, False), (2, 3, late - 65, True)]
    late_high = (0xFFFFFFF << 6) + 1
    expected[2] = (2, 3, late_high, True)
    assert _rows(read_events(path).events) == [*expected, (4, 5, late, False)]


def test_dat_word_by_word(tmp_path: Path) -> None:
    header = b"% Data file containing CD events.\n% Version 2\n% Width 304\n% Height 240\n"
    words = [10, 9 | 7 << 14 | 1 << 28, 0xFFFFFFFF, 303 | 239 << 14, 5, 1]
    path = tmp_path / "a.dat"
    path.write_bytes(header + bytes([12, 8]) + np.array(words, "<u4").tobytes())
    read = read_events(path)
    rows = [(9, 7, 10, True), (303, 239, 2**32 - 1, False), (1, 0, 2**32 + 5, False)]
    assert _rows(read.events) == rows and read.sensor_size == (304, 240)


def test_nmnist_is_as_tonic_reads_it(tmp_path: Path) -> None:
    path = event_files.write_as("nmnist", tmp_path, event_files.random_events(300, seed=3))
    assert path.read_bytes().count(b"\x00\xf0\x00\x00\x00") > 5
    theirs = tonic.io.read_mnist_file(str(path), dtype=EVENT_DTYPE)
    np.testing.assert_array_equal(read_events(path).events, theirs)


def test_times_of_32_bits_start_over(tmp_path: Path) -> None:
    events = event_files.random_events(3)
    events["t"] = [2**32 - 2, 1, 5]
    path = event_files.write_as("aedat2", tmp_path, events)
    assert read_events(path).events["t"].tolist() == [2**32 - 2, 2**32 + 1, 2**32 + 5]


def test_repairs_are_told(tmp_path: Path) -> None:
    events = event_files.random_events(50)
    shuffled = events.copy()
    shuffled[[3, 40]] = shuffled[[40, 3]]
    late = int((shuffled["t"] < np.maximum.accumulate(shuffled["t"])).sum())
    read = read_events(event_files.write_as("npy", tmp_path, shuffled))
    assert (np.diff(read.events["t"]) >= 0).all() and late > 1
    assert read.repairs == (f"{late} events out of order were sorted by time",)
    columns = {name: events[name] for name in "xyt"}
    np.savez(tmp_path / "signed.npz", p=np.where(events["p"], 1, -1), **columns)
    read = read_events(tmp_path / "signed.npz")
    np.testing.assert_array_equal(read.events, events)
    assert read.repairs == (f"{int((~events['p']).sum())} polarities of -1 were read as OFF",)


def test_going_back_between_packets_stops_a_stream() -> None:
    packets = [event_files.random_events(5, seed=seed) for seed in (1, 2)]
    checks = Checks("here", None)
    with pytest.raises(FileError, match="read_events"):
        list(checks.ordered(iter(packets)))
