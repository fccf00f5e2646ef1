"""A graph file, and how to write it anew with other content."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from spikeport.convert import Domain, Graph, ops
from spikeport.convert.storage import digest


def store_small_graph(folder: Path) -> Path:
    """A convolution and a neuron, in a file."""
    graph = Graph(outputs=("lif",), metadata={"note": "kept"})
    graph.add("x", ops.Input((2, 4, 4), Domain.GRADED, True))
    graph.add(
        "conv",
        ops.Conv(torch.rand(3, 2, 3, 3), None, (1, 1), (1, 1), (1, 1)),
        ["x"],
        path="net.conv",
    )
    graph.add("lif", ops.LIF(2.0, True, 1.0, None), ["conv"])
    graph.save(folder / "g.spg")
    return folder / "g.spg"


def opened(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a file, as they are."""
    with safe_open(path, framework="pt") as reader:
        return dict(reader.metadata()), {
            name: reader.get_tensor(name)
            for name in reader.keys()  # noqa: SIM118
        }


def rewrite(
    path: Path, change: Callable[[Any, Any], object], target: Path | None = None, **metadata: str
) -> None:
    """Store a file again, its JSON and tensors changed, with a hash that fits."""
    header, tensors = opened(path)
    content = json.loads(header["graph"])
    change(content, tensors)
    text = json.dumps(content)
    header |= {"graph": text, "sha256": digest(text, tensors), **metadata}
    save_file(tensors, target or path, header)
