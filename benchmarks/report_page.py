"""The report page: seconds to build it, its size, and seconds until Chromium has drawn it.

    python benchmarks/report_page.py [FOLDER ...] [--models A,B] [--samples N]

Folders as `spikeport report` takes them. Without any, `estimate`, `evaluate`, `lower` (to the float
reference) and `spectrum` are run first on four networks that come with Spikeport, which stand side
by side on the page. Building is a process of its own, imports included. Drawing is timed from the
browser's start of navigation: `loaded` until the load event, `first_chart` until the first chart
is drawn, `all_charts` until the last one is: charts out of sight are drawn when there is time.
Promised of a page of four networks: built in under 10 s, open with its first chart in under 2 s,
under 5 MB; `kept` says which of it holds here, by the median. Needs chromium and chromedriver.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

REPEATS = 5
MODELS = "max_former_digits,ms_qkformer_digits,max_resnet_digits,spikformer_digits"
BUILD_SECONDS, OPEN_SECONDS, BYTES = 10.0, 2.0, 5 * 10**6
SPIKEPORT = [sys.executable, "-c", "from spikeport.cli import main; main()"]
TIMES = """
const [navigation] = performance.getEntriesByType("navigation");
const marks = performance.getEntriesByType("mark").map((mark) => [mark.name, mark.startTime]);
return {loaded: navigation.loadEventEnd, ...Object.fromEntries(marks)};
"""


def results(base: Path, models: list[str], samples: int) -> list[str]:
    """One folder per network, with all that the page shows of it."""
    number = str(samples)
    for model in models:
        for words in (
            ["estimate", model, "--samples", number, "-o", str(base / model / "estimated")],
            ["evaluate", model, "--samples", number, "-o", str(base / model / "evaluated")],
            ["lower", model, "--target", "reference", "-o", str(base / model / "lowered")],
            ["spectrum", model, "--samples", number, "-o", str(base / model / "spectrum")],
        ):
            subprocess.run([*SPIKEPORT, *words], check=True, stdout=subprocess.DEVNULL)
    return [str(base / model) for model in models]


def built(places: list[str], page: Path) -> float:
    began = time.monotonic()
    command = [*SPIKEPORT, "report", *places, "-o", str(page)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def networks(page: Path) -> list[str]:
    """Their names as the page tells them."""
    heading = page.read_text().partition("<h1>")[2].partition("</h1>")[0]
    return re.findall(r">([^<]+)</span>", heading)


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
    asked = argparse.ArgumentParser()
    asked.add_argument("folders", nargs="*")
    asked.add_argument("--models", default=MODELS, help="with commas between them")
    asked.add_argument("--samples", type=int, default=50)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base, models = Path(name), given.models.split(",")
        places, page = given.folders or results(base, models, given.samples), base / "report.html"
        seconds = [built(places, page) for _ in range(REPEATS)]
        size, times = page.stat().st_size, drawn(page, base)
        told = {
            "cpus": os.cpu_count(),
            "networks": networks(page),
            "build_seconds": [round(each, 2) for each in seconds],
            "bytes": size,
            **{name: round(value, 3) for name, value in times.items()},
            "kept": {
                "build": statistics.median(seconds) < BUILD_SECONDS,
                "open": times["first_chart"] < OPEN_SECONDS,
                "size": size < BYTES,
            },
        }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
