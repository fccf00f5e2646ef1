"""Patch embeddings of arXiv 2505.18608 and of MS-QKFormer, one class each, by name."""

from spikeport.train.models.embeddings import (  # noqa: F401  (fills the registry)
    avg,
    max,
    max_plus,
    one_max_full,
    one_max_half,
    orig,
    orig_imagenet,
    orig_later,
    qkformer_later,
    qkformer_stem,
)
from spikeport.train.models.embeddings.base import EncodingEmbedding, PatchEmbedding
from spikeport.train.models.embeddings.registry import EMBEDDINGS

__all__ = ["EMBEDDINGS", "EncodingEmbedding", "PatchEmbedding"]
