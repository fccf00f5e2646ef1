"""Memory and time of `load_checkpoint` for a model of 64 million parameters, as JSON.

    python benchmarks/load_checkpoint.py [--container pth.tar] [--container safetensors]

Each container is read in a fresh process. `peak_over_weights` is the peak of the resident set
(mapped pages of the file included) above that of the built model, over the size of its weights;
the promise is 1.3. The .pth.tar file is one of timm's saver, with optimiser state and running mean,
four times as large as the weights.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from spikeport import load_checkpoint

WIDTH, BLOCKS = 768, 13
CONTAINERS = ("pth.tar", "safetensors")


def build() -> nn.Module:
    """Linear layers and batch norms of the widths that an image Max-Former of 64 M has."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)]
    for _ in range(BLOCKS):
        layers += [nn.Linear(WIDTH, 4 * WIDTH), nn.BatchNorm1d(4 * WIDTH)]
        layers += [nn.Linear(4 * WIDTH, WIDTH), nn.BatchNorm1d(WIDTH)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 1000))


def write(container: str, path: Path) -> None:
    model = build()
    if container == "safetensors":
        save_file(model.state_dict(), path)
        return
    weights, names = model.state_dict(), range(len(list(model.parameters())))
    moments = [
        {index: {"exp_avg": torch.zeros_like(value), "exp_avg_sq": torch.ones_like(value)}}
        for index, value in zip(names, model.parameters(), strict=True)
    ]
    content = {
        "epoch": 199,
        "arch": "max_former",
        "state_dict": weights,
        "optimizer": {"state": moments, "param_groups": []},
        "args": argparse.Namespace(model="max_former", lr=1e-3),
        "state_dict_ema": {name: value.clone() for name, value in weights.items()},
    }
    torch.save(content, path)


def resident(entry: str) -> int:
    """Bytes, of /proc/self/status: VmRSS now, VmHWM at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{entry}:"))


def measure(container: str, path: Path) -> dict[str, object]:
    model = build()
    weights = sum(value.nbytes for value in model.state_dict().values())
    gc.collect()
    # Forget the peak of building; where that is not allowed the figure is only larger.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    before, began = resident("VmRSS"), time.perf_counter()
    report = load_checkpoint(model, path)
    seconds = time.perf_counter() - began
    above = resident("VmHWM") - before
    return {
        "container": container,
        "parameters": sum(value.numel() for value in model.parameters()),
        "entries": len(report.entries),
        "weights_mib": round(weights / 2**20, 1),
        "file_mib": round(path.stat().st_size / 2**20, 1),
        "peak_above_built_model_mib": round(above / 2**20, 1),
        "peak_over_weights": round(above / weights, 3),
        "seconds": round(seconds, 2),
    }


def in_fresh_process(job: str, container: str, path: Path) -> str:
    command = [sys.executable, __file__, "--job", job, "--file", str(path)]
    done = subprocess.run(
        [*command, "--container", container], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--container", action="append", choices=CONTAINERS)
    parser.add_argument("--job", choices=("write", "measure"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    containers = given.container or CONTAINERS
    if given.job == "write":
        write(containers[0], given.file)
    elif given.job == "measure":
        print(json.dumps(measure(containers[0], given.file)))
    else:
        runs = []
        for container in containers:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"large.{container}"
                in_fresh_process("write", container, path)
                runs.append(json.loads(in_fresh_process("measure", container, path)))
        print(
            json.dumps({"cpus": os.cpu_count(), "torch": torch.__version__, "runs": runs}, indent=2)
        )


if __name__ == "__main__":
    main()
