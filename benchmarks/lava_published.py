"""Networks at their published size on Lava's process models, against the integer executor.

Weights are random, thresholds such that every layer fires about 20 %; the samples stream back to
back. Prints how many spikes were compared and how many differ (none must), times and memory; each
network runs in a program of its own, so that memory is its own. What cannot be lowered is told.

    python benchmarks/lava_published.py max_former_event ms_qkformer_event [--samples 2] [--json]

Exit code 1 if a spike differs or a layer does not fire between 2 and 80 %, 2 if one is refused.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parents[1] / "tests" / "support"


def row(name: str, samples: int, steps: int, seed: int) -> dict[str, Any]:
    sys.path.insert(0, str(SUPPORT))
    from published import FIRES, measure

    from spikeport.core.errors import SpikeportError

    try:
        result = measure(name, samples, steps, seed)
    except SpikeportError as error:
        return {"model": name, "refused": str(error)}
    asleep = {
        layer: rate for layer, rate in result.rates.items() if not FIRES[0] <= rate <= FIRES[1]
    }
    return result.row() | {"outside 2 to 80 %": asleep}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["max_former_event", "ms_qkformer_event"])
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    rows = []
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for name in given.models:
            rows.append(pool.submit(row, name, given.samples, given.steps, given.seed).result())
            if not given.json:
                for key, value in rows[-1].items():
                    shown = f"{value:.4g}" if isinstance(value, float) else value
                    print(f"{key:>20}  {shown}")
                print(flush=True)
    if given.json:
        print(json.dumps(rows, indent=2))
    if any(each.get("different") or each.get("outside 2 to 80 %") for each in rows):
        return 1
    return 2 if any("refused" in each for each in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
