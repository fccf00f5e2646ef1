"""What the trained STF network owes to its position embedding (TSPE) and its feedback (TF).

    python benchmarks/stf_parts.py

Accuracy on the 1,000 test digits (simulated events) with one of them set to zero, nothing trained
anew. `mean` keeps of the embedding only what is the same at every time step. Prints JSON.
"""

from __future__ import annotations

import json
from itertools import product

import torch

from spikeport.train.checkpoint import load_model
from spikeport.train.data import open_data
from spikeport.train.evaluate import accuracy
from spikeport.train.models.stf.encoder import StfEncoder

NAME = "max_former_digits_stf"


def changed(embedding: str, feedback: str) -> torch.nn.Module:
    model = load_model(NAME)
    (encoder,) = (module for module in model.modules() if isinstance(module, StfEncoder))
    position, bn = encoder.tspe.position.data, encoder.get_submodule("loop.bn")
    if embedding == "zero":
        position.zero_()
    elif embedding == "mean":
        position[:] = position.mean(0, keepdim=True)
    if feedback == "zero":
        for weight in bn.parameters():
            weight.data.zero_()
    return model


def main() -> None:
    data = open_data("digits", "test", steps=4)
    rows = [
        {
            "TSPE": embedding,
            "TF": feedback,
            "accuracy": accuracy(changed(embedding, feedback), data),
        }
        for embedding, feedback in product(("trained", "mean", "zero"), ("trained", "zero"))
    ]
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
