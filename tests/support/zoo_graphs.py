"""Small networks of every family of the zoo, traced and proven."""

from __future__ import annotations

import torch
from nets import lively

from spikeport.convert import Graph, trace
from spikeport.convert.domain import Domain
from spikeport.train.models import MODELS, create_model

FORMER = {"dim": 64, "heads": 4}
CASES = {
    "max_former_event": FORMER,
    "max_former_cifar": FORMER,
    "max_former_10_384": FORMER,
    "ms_qkformer_event": FORMER,
    "ms_qkformer_cifar": FORMER,
    "ms_qkformer_10_384": FORMER,
    "max_resnet18": {"widths": (16, 16, 32)},
    "ms_resnet18_2222": {"widths": (16, 16, 32, 32)},
    "spikformer_cifar_4_384": {**FORMER, "depth": 1},
    "spikformer_event": {**FORMER, "depth": 1},
    "spikformer_8_512": {**FORMER, "depth": 1},
}


def traced(name: str, **options: object) -> Graph:
    """A small one; `trace` proves it spike by spike on two sizes."""
    torch.manual_seed(0)
    entry = MODELS[name]
    model = lively(create_model(name, image_size=(32, 32), **options))
    shape = (2, entry.input_shape[0], 32, 32)
    frames = torch.poisson(torch.full((2, 3, *shape[1:]), 0.5))
    x = torch.randn(shape) if entry.static else frames
    return trace(model, x, input_domain=Domain.REAL if entry.static else Domain.GRADED)
