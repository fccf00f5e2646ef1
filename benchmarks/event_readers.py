"""Events per second of every reader, on the real DAVIS recording converted to its format.

python benchmarks/event_readers.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import event_files  # noqa: E402

from spikeport.train.data.readers import read_events  # noqa: E402
from spikeport.train.data.recordings import Events  # noqa: E402

RECORDING = ROOT / "tests" / "golden" / "recordings" / "davis346.aedat4"
_REPEATS = 5


def main() -> None:
    """Print one line for each format: events, whether all came back, and the best of five runs."""
    whole = read_events(RECORDING).events
    whole["t"] -= whole["t"][0]
    # Folded into 128 x 128 pixels, which every format can hold.
    inside = whole.copy()
    inside["x"] %= 128
    inside["y"] %= 128
    print(f"{'as recorded':12s} {_line(RECORDING)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in event_files.WRITERS:
            path = event_files.write_as(name, Path(folder), inside, name)
            print(f"{name:12s} {_line(path, inside)}")


def _line(path: Path, expected: Events | None = None) -> str:
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        events = read_events(path).events
        seconds.append(time.perf_counter() - started)
    told = ""
    if expected is not None:
        told = "all events equal" if np.array_equal(events, expected) else "EVENTS DIFFER"
    rate = len(events) / min(seconds) / 1e6
    return f"{len(events):7,} events  {rate:7.2f} M events/s  {told}"


if __name__ == "__main__":
    main()
