"""Wall time of `spikeport demo`, whole process, with and without the simulated recordings cached.

    python benchmarks/demo.py

Prints JSON: seconds of each run and of its parts. The promise is 180 s on two cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 3


def measure(folder: Path, cache: Path) -> dict[str, object]:
    command = [str(Path(sys.executable).with_name("spikeport")), "demo", "-o", str(folder)]
    began = time.monotonic()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SPIKEPORT_CACHE": str(cache)},
    )
    seconds = time.monotonic() - began
    summary = json.loads((folder / "summary.json").read_text())
    return {"seconds": round(seconds, 1), "parts": summary["seconds"]}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        runs = [measure(base / f"run{index}", base / "cache") for index in range(REPEATS)]
    print(json.dumps({"cpus": os.cpu_count(), "first": runs[0], "cached": runs[1:]}, indent=2))


if __name__ == "__main__":
    main()
