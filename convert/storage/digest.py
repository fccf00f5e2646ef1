"""Hashes: of what a file holds, and of what a graph computes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from spikeport.convert.storage.describe import described

if TYPE_CHECKING:
    from spikeport.convert.graph import Graph


def digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of a text and of named tensors: names, types, shapes and little-endian bytes."""
    state = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        state.update(f"\0{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        state.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def fingerprint(graph: Graph) -> str:
    """SHA-256 of what a graph computes: its nodes, edges and parameters, not its metadata."""
    header, tensors = described(graph)
    return digest(header.model_copy(update={"metadata": {}}).model_dump_json(), tensors)
