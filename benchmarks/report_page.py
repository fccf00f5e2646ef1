"""The report page: seconds to build it, its size, and seconds until Chromium has drawn it.

    python benchmarks/report_page.py [FOLDER ...]

Folders as `spikeport report` takes them. Without any, `estimate` and `lower` (to the float
reference) are run first on the model that comes with Spikeport. Building is a process of its own,
imports included. Drawing is timed from the browser's own start of navigation: `loaded` until the
load event, `first_chart` until the first chart is drawn, `all_charts` until the last one is.
Promised: built in under 10 s, open in under 2 s, under 5 MB. Needs chromium and chromedriver.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

REPEATS = 5
SPIKEPORT = [sys.executable, "-c", "from spikeport.cli import main; main()"]
TIMES = """
const [navigation] = performance.getEntriesByType("navigation");
const marks = performance.getEntriesByType("mark").map((mark) => [mark.name, mark.startTime]);
return {loaded: navigation.loadEventEnd, ...Object.fromEntries(marks)};
"""


def results(base: Path) -> list[str]:
    model = "max_former_digits"
    for words in (
        ["estimate", model, "--samples", "50", "-o", str(base / "estimated")],
        ["lower", model, "--target", "reference", "-o", str(base / "lowered")],
    ):
        subprocess.run([*SPIKEPORT, *words], check=True, stdout=subprocess.DEVNULL)
    return [str(base / "estimated"), str(base / "lowered")]


def built(places: list[str], page: Path) -> float:
    began = time.monotonic()
    command = [*SPIKEPORT, "report", *places, "-o", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def drawn(page: Path, base: Path) -> dict[str, float]:
    """Seconds, median over loads in one browser; the first load, with everything cold, apart."""
    import browser as chromium

    loads: list[dict[str, Any]] = []
    with chromium.opened(base / "profile", base) as browser:
        for _ in range(REPEATS + 1):
            chromium.show(browser, page)
            loads.append(browser.execute_script(TIMES))
    told = {f"first_load_{name}": value / 1000 for name, value in loads[0].items()}
    for name in loads[0]:
        told[name] = statistics.median(load[name] for load in loads[1:]) / 1000
    return told


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        places, page = sys.argv[1:] or results(base), base / "report.html"
        seconds = [built(places, page) for _ in range(REPEATS)]
        told = {
            "cpus": os.cpu_count(),
            "build_seconds": [round(each, 2) for each in seconds],
            "bytes": page.stat().st_size,
            **{name: round(value, 3) for name, value in drawn(page, base).items()},
        }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
