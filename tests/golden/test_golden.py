"""The zoo against numbers from the authors' programs: float64, spike by spike.

`pytest tests/golden --reference DIR` runs every case for which DIR holds a manifest and an npz.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import golden
import numpy as np
import torch
from numpy.typing import NDArray

from spikeport.train.reference import reference_input, reference_model


def test_spikes_and_outputs_are_those_of_the_published_program(
    golden_case: Path, golden_results: dict[str, NDArray[Any]]
) -> None:
    expected = golden_results
    model = reference_model(golden_case).double()
    out, spikes = golden.run(model, reference_input(golden_case).double())

    assert list(spikes) == expected["lif_names"].tolist(), "order of execution"
    for index, (name, fired) in enumerate(spikes.items()):
        packed = np.packbits(fired[:, 0].numpy().astype(np.uint8).ravel()).tobytes()
        assert int(fired.sum()) == expected["lif_spike_count"][index], name
        assert hashlib.sha256(packed).hexdigest() == expected["lif_packed_sha256"][index], name
        steps = fired.flatten(1).sum(1).tolist()
        assert steps == expected["lif_count_per_step"][index].tolist(), name
    key = "logits" if "logits" in expected else "output"
    np.testing.assert_allclose(out.numpy(), expected[key], rtol=0, atol=1e-10)
    # A trivial match would prove nothing.
    assert all(torch.any(fired > 0) and torch.any(fired < 1) for fired in spikes.values())
