"""Patch embeddings by name."""

from __future__ import annotations

from typing import Protocol

from spikeport.core.registry import Registry
from spikeport.train.models.embeddings.base import PatchEmbedding


class MakeEmbedding(Protocol):
    """A patch embedding class: called with the channels that come in and go out."""

    stride: int
    narrowing: int

    def __call__(self, in_channels: int, dim: int) -> PatchEmbedding: ...


EMBEDDINGS: Registry[MakeEmbedding] = Registry("patch embedding")
