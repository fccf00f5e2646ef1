"""Time and memory of trace, fold and verify for a model of the zoo, from a fresh process.

    python benchmarks/trace_large.py [--model max_former_10_768] [--samples 1] [--threads 2]

Prints one JSON object. Targets on two cores: 5 minutes and 8 GB for the ImageNet Max-Former of 64 M
parameters, 30 s for the CIFAR Max-Former.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import torch
from torch import nn

from spikeport.convert import trace
from spikeport.train.models import MODELS, create_model


def lively(model: nn.Module) -> nn.Module:
    """Batch norms that let neurons fire, since untrained ones keep deep layers silent."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            mean, var = module.running_mean, module.running_var
            if mean is not None and var is not None:
                mean.normal_(0, 0.1, generator=generator)
                var.uniform_(0.1, 0.4, generator=generator)
            module.bias.data.normal_(0.3, 0.3, generator=generator)
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default="max_former_10_768")
    parser.add_argument("--samples", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    entry = MODELS[given.model]
    model = lively(create_model(given.model))
    parameters = sum(p.numel() for p in model.parameters())
    steps = () if entry.static else (entry.steps,)
    sample = torch.randn(given.samples, *steps, *entry.input_shape)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    graph = trace(model, sample)
    seconds = time.perf_counter() - start
    certificate = graph.metadata["certificate"]
    result = {
        "model": given.model,
        "parameters": parameters,
        "nodes": len(graph),
        "neurons": certificate["neurons"],
        "spikes": certificate["spikes"],
        "fired": certificate["fired"],
        "silent": len(certificate["silent"]),
        "seconds": round(seconds, 1),
        # Linux tells kilobytes.
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "peak_gb_before": round(before / 1e6, 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
