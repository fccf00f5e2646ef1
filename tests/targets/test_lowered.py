"""What all targets share: `lower`, `run`, `save`."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import spikeport
from spikeport.core.errors import UnknownNameError, UsageError


def test_lava_by_name_with_its_options(max_former: Any) -> None:
    lowered = spikeport.lower(
        max_former.graph, "lava", calibration=max_former.frames, weight_bits=6
    )
    assert lowered.target == "lava"
    assert lowered.report.as_json()["options"]["weight_bits"] == 6


def test_every_backend_gives_the_same_run(max_former: Any) -> None:
    frames = max_former.frames[:, :2]
    runs = [
        max_former.artefact.run(frames, backend=name, spikes=True) for name in ("integer", "pump")
    ]
    assert [run.backend for run in runs] == ["integer", "pump"]
    assert list(runs[0].spikes) == list(runs[1].spikes) != []
    for name, spikes in runs[0].spikes.items():
        assert spikes.dtype == torch.bool and torch.equal(spikes, runs[1].spikes[name]), name
    assert torch.equal(*(run.outputs for run in runs))
    assert not max_former.artefact.run(frames).spikes


def test_a_loader_calibrates_like_its_frames(max_former: Any) -> None:
    batches = [(part, torch.zeros(part.shape[1])) for part in max_former.frames.split(2, dim=1)]
    by_loader = spikeport.lower(max_former.graph, "lava", calibration=batches)
    by_frames = spikeport.lower(max_former.graph, "lava", calibration=max_former.frames)
    assert by_loader.report.as_json() == by_frames.report.as_json()


def test_what_cannot_be_meant_is_refused(max_former: Any) -> None:
    frames = max_former.frames
    with pytest.raises(UsageError, match="no batch"):
        spikeport.lower(max_former.graph, "lava", calibration=[])
    with pytest.raises(UsageError, match="do not fit together"):
        spikeport.lower(max_former.graph, "lava", calibration=[frames, frames[:2]])
    with pytest.raises(UsageError, match="weight_bitz"):
        spikeport.lower(max_former.graph, "lava", weight_bitz=6)
    with pytest.raises(UnknownNameError, match="backend of lava"):
        max_former.artefact.run(max_former.frames, backend="nothing_like_it")
    with pytest.raises(UnknownNameError):
        spikeport.lower(max_former.graph, "nowhere")
