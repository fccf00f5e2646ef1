"""`spikeport simulate`: a lowered network on its backends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from spikeport.convert import trace
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, Conv, Input
from spikeport.targets.artefact import write_artefact
from spikeport.targets.lava import LavaArtefact, lower
from spikeport.targets.lowered import Tolerance
from spikeport.train.checkpoint import load_model
from spikeport.train.data.named import open_data

LAYERS = 16


@pytest.fixture(scope="module")
def lowered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained digits network, lowered with a few recordings."""
    data = open_data("digits", "train", steps=4)
    frames = torch.from_numpy(data.frames[::500].astype("float32")).transpose(0, 1).contiguous()
    graph = trace(load_model("max_former_digits"), frames.transpose(0, 1), input_domain="graded")
    folder = tmp_path_factory.mktemp("simulate") / "lowered"
    write_artefact(lower(graph, frames, input_max=63), frames[:, :2], folder)
    return folder


def one_neuron(folder: Path, threshold: float, side: int = 32) -> Path:
    """A network whose neurons fire on currents >= threshold; digits have 32 x 32 pixels."""
    graph = Graph()
    graph.add("input", Input((2, side, side), Domain.GRADED, per_step=True))
    graph.add("conv", Conv(torch.ones(1, 2, 1, 1), None, (1, 1), (0, 0), (1, 1)), ("input",))
    graph.add("if", IF(threshold, 0.0), ("conv",))
    graph.outputs = ("if",)
    write_artefact(lower(graph, input_max=63), torch.full((4, 1, 2, side, side), 63.0), folder)
    return folder


@pytest.mark.parametrize("backend", ["integer", "pump", "runtime"])
def test_backends_agree(cli, lowered: Path, backend: str) -> None:
    done = cli("simulate", lowered, "--backend", backend, "--data", "digits", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert told["backend"] == told["parity"]["right"] == backend
    assert told["parity"]["left"].startswith("integer")
    assert told["parity"]["equal"] and told["parity"]["output_difference"] == 0.0
    assert len(told["parity"]["layers"]) == LAYERS
    assert all(0 < layer["rate"] < 0.8 for layer in told["parity"]["layers"])
    assert (told["samples"], told["steps"], told["latency"], told["right"]) == (2, 4, 13, 2)
    assert "simulated events" in told["data"]


def test_the_table_tells_every_layer(cli, lowered: Path) -> None:
    done = cli("simulate", lowered, "--backend", "pump", "--samples", 3, "--steps", 6)
    assert done.code == 0, done.err
    assert "stage2.0.attn.attn_lif" in done.out
    assert "spikes equal; 3 samples of 6 steps" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 100


def with_one_spike_changed(
    monkeypatch: pytest.MonkeyPatch,
    of_outputs: Callable[[torch.Tensor], torch.Tensor] = lambda outputs: outputs,
) -> None:
    """The pump tells another spike of sample 1 than it ran, and what `of_outputs` makes of its
    outputs."""
    plain = LavaArtefact.run

    def wrong(self: LavaArtefact, frames: Any, **options: Any) -> Any:
        ran = plain(self, frames, **options)
        if options.get("backend") != "pump":
            return ran
        ran.spikes["head_lif"][2, 1, 3] ^= True
        return ran._replace(outputs=of_outputs(ran.outputs))

    monkeypatch.setattr(LavaArtefact, "run", wrong)


def test_a_difference_is_exit_code_one_with_the_first_place(
    cli, lowered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_one_spike_changed(monkeypatch)
    done = cli("simulate", lowered, "--backend", "pump", "--json")
    assert done.code == 1
    assert done.json["parity"]["first_difference"]["layer"] == "head_lif"
    told = " ".join(cli("simulate", lowered, "--backend", "pump").err.split())
    assert "head_lif: 1 of" in told
    assert "sample 1, step 2, index (3,)" in told


@pytest.mark.parametrize(("change", "in_json"), [(1.0, 1.0), (float("nan"), None)])
def test_outputs_are_compared_where_spikes_may_differ(
    cli, lowered: Path, monkeypatch: pytest.MonkeyPatch, change: float, in_json: float | None
) -> None:
    """A spike of one sample excuses its own outputs, not those of another one."""

    def shifted(outputs: torch.Tensor) -> torch.Tensor:
        outputs = outputs.double()
        outputs[changed, 0] += change
        return outputs

    with_one_spike_changed(monkeypatch, shifted)
    monkeypatch.setattr(LavaArtefact, "tolerance", Tolerance(0.01, 0.0))
    changed = 1
    done = cli("simulate", lowered, "--backend", "pump")
    assert done.code == 0, done.err
    changed = 0
    done = cli("simulate", lowered, "--backend", "pump", "--json")
    assert done.code == 1
    told = " ".join(done.err.split())
    assert f"outputs of integer and pump differ by {change:.3g} in samples" in told, told
    assert done.json["parity"]["output_difference"] == in_json


def test_a_silent_network_proves_nothing(cli, tmp_path: Path) -> None:
    done = cli("simulate", one_neuron(tmp_path / "silent", 1000.0), "--backend", "pump")
    assert done.code == 1
    assert "no neuron fired" in " ".join(done.err.split())
    assert "Note: if never fired" in done.out
    lively = cli("simulate", one_neuron(tmp_path / "lively", 1.0), "--backend", "pump")
    assert lively.code == 0, lively.err


def test_an_overflow_is_told(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody proved head-room, the executor that checks values finds what wraps around."""
    from spikeport.targets.lava import executor

    folder = one_neuron(tmp_path / "loud", 1.0)
    monkeypatch.setattr(executor, "CURRENT_LIMIT", 2)
    done = cli("simulate", folder, "--backend", "integer")
    assert done.code == 1
    assert "wraps around" in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--backend", "pumps"), ("Did you mean pump",)),
        (("--data", "digit"), ("Did you mean digits",)),
        (("--split", "tset"), ("Did you mean test",)),
        (("--samples", "100000"), ("--samples", "Ask for fewer")),
    ],
)
def test_refusals(cli, lowered: Path, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = cli("simulate", lowered, *args)
    assert done.code == 2, done.out
    told = " ".join(done.err.split())
    assert told.startswith("error: ") and "Traceback" not in told
    assert all(word in told for word in words), told


def test_folders_that_are_none(cli, tmp_path: Path) -> None:
    for folder in (tmp_path / "missing", tmp_path):
        done = cli("simulate", folder)
        assert done.code == 2
        assert "manifest" in done.err


def test_frames_of_another_size(cli, tmp_path: Path) -> None:
    done = cli("simulate", one_neuron(tmp_path / "small", 1.0, side=8))
    assert done.code == 2
    assert "reads [2, 8, 8], the frames of digits are [2, 32, 32]" in " ".join(done.err.split())
