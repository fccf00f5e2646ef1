"""`show`, `check` and `verify`: what a graph holds, what becomes of it, whether it is proven."""

from pathlib import Path

import numpy as np
import pytest
import torch
from graph_files import rewrite

from spikeport.convert import Domain, Graph, ops, read_seal, trace
from spikeport.train.checkpoint import load_model
from spikeport.train.models import MODELS


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits network as `spikeport trace` stores it."""
    from spikeport.cli.options import InputChoice
    from spikeport.cli.sources import trace_random

    path = tmp_path_factory.mktemp("traced") / "m.spg"
    trace_random("max_former_digits", None, None, InputChoice()).save(path)
    return path


def refused(done, *words: str) -> None:
    assert done.code == 2, done.out
    assert done.err.startswith("error: ")
    told = " ".join(done.err.split())
    for word in words:
        assert word in told


def test_show_prints_layers_answer_and_certificate(cli, traced: Path) -> None:
    done = cli("show", traced)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= 100
    (row,) = (line.split() for line in lines if "patch_embed1.max_embed1.embed_lif" in line)
    assert row == ["patch_embed1.max_embed1.embed_lif", "lif", "4x32x32", "T", "4x32x32", "spike",
                   "4,096"]  # fmt: skip
    assert "Spike-driven: yes" in done.out
    assert "spikes in 16 neuron layers equal to the model's" in done.out
    assert "torch " in done.out and "SHA-256" in done.out


def test_show_for_programs(cli, traced: Path) -> None:
    content = cli("show", traced, "--json").json
    assert content["source"]["model"] == "max_former_digits"
    assert content["source"]["class"].endswith("SpikingFormer")
    assert len(content["layers"]) == 60
    assert content["spike_driven"] is True and len(content["real_edges"]) == 38
    assert set(content["certificate"]["versions"]) >= {"python", "torch", "spikingjelly"}


def test_show_draws(cli, traced: Path, tmp_path: Path) -> None:
    done = cli("show", traced, "--svg", "g.svg", "--dot", "g.dot")
    assert done.code == 0
    assert (tmp_path / "g.svg").read_text().rstrip().endswith("</svg>")
    assert (tmp_path / "g.dot").read_text().startswith("digraph")
    assert "Files: g.dot, g.svg" in done.out


def test_show_lists_the_edges_that_carry_reals(cli, tmp_path: Path) -> None:
    graph = Graph(outputs=("lif",))
    graph.add("x", ops.Input((2,), Domain.REAL, True))
    graph.add("fc", ops.Linear(torch.ones(2, 2), None), ["x"], path="net.fc")
    graph.add("lif", ops.IF(1.0, 0.0), ["fc"])
    graph.save(tmp_path / "g.spg")
    done = cli("show", "g.spg")
    assert "Spike-driven: no. 1 edges carry real values" in done.out
    assert "net.fc (linear) reads real values of x" in done.out
    assert "No certificate" in done.out


def test_a_lowered_graph_is_shown_too(cli, traced: Path, tmp_path: Path) -> None:
    from spikeport.targets.lava import lower

    lower(Graph.load(traced), torch.ones(4, 2, 2, 32, 32)).save(tmp_path / "lowered")
    assert "lava.lif" in cli("show", "lowered/graph.spg").out
    done = cli("verify", "lowered/graph.spg")
    assert done.code == 1
    assert "it was lowered" in done.out


def test_check_tells_what_becomes_of_each_node(cli, traced: Path) -> None:
    done = cli("check", traced, "--target", "all")
    assert done.code == 0, done.out
    assert "60 nodes: " in done.out and "0 unsupported" in done.out
    content = cli("check", traced, "--target", "lava", "--json").json
    assert set(content) == {"graph", "ok", "targets"}
    (report,) = content["targets"]
    assert report["target"] == "lava" and len(report["nodes"]) == 60


def test_check_fails_for_a_network_that_cannot_be_lowered(cli, tmp_path: Path) -> None:
    graph = Graph(outputs=("lif",))
    graph.add("x", ops.Input((2,), Domain.REAL, True))
    graph.add("lif", ops.LIF(3.0, True, 1.0, None), ["x"], path="net.lif")
    graph.save(tmp_path / "g.spg")
    done = cli("check", "g.spg", "--target", "lava")
    assert done.code == 1
    assert "net.lif (node lif): its soft reset" in " ".join(done.out.split())
    failed = cli("check", "g.spg", "--target", "lava,onnx", "--json")
    assert failed.code == 1 and failed.json["ok"] is False
    assert failed.json["targets"][0]["counts"]["unsupported"] == 1
    # ONNX can say it: looked at for all targets, the network is no failure.
    survey = cli("check", "g.spg", "--json")
    assert survey.code == 0 and survey.json["ok"] is True
    assert [each["ok"] for each in survey.json["targets"]].count(False) >= 1


def test_verify_accepts_what_was_proven(cli, traced: Path) -> None:
    done = cli("verify", traced, "--model", "max_former_digits")
    assert done.code == 0, done.out
    assert "Compared again on the certificate's own input" in done.out
    assert done.out.rstrip().endswith("Verified.")
    content = cli("verify", traced, "--model", "max_former_digits", "--input", "3,4,2,32,32",
                  "--json").json  # fmt: skip
    assert content["ok"] and not content["same_input"]
    assert content["compared_again"]["input_shape"] == [3, 4, 2, 32, 32]


def test_verify_takes_input_from_a_file(cli, traced: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 4, 2, 32, 32), np.uint8))
    done = cli("verify", traced, "--model", "max_former_digits", "--sample", "x.npy", "--json")
    assert done.code == 0, done.out
    assert done.json["compared_again"]["input_shape"] == [2, 4, 2, 32, 32]


def test_verify_finds_another_model(cli, traced: Path, tmp_path: Path) -> None:
    """The same architecture with one weight changed by a little."""
    from spikeport.core.tensors import save_tensors

    model = load_model("max_former_digits")
    weights = dict(model.state_dict())
    weights["head.weight"] = weights["head.weight"] + 1e-4
    save_tensors(tmp_path / "w.safetensors", weights, {})
    options = ("--model", "max_former_digits", "--checkpoint", "w.safetensors")
    done = cli("verify", traced, *options)
    assert done.code == 1
    assert "computes something else" in done.out and "Verified" not in done.out


def test_verify_finds_a_graph_changed_after_its_proof(cli, traced: Path, tmp_path: Path) -> None:
    def change(_, tensors) -> None:
        tensors["head/bias"] += 1.0

    rewrite(traced, change, tmp_path / "m.spg")
    done = cli("verify", "m.spg")
    assert done.code == 1
    assert "was changed after it was proven" in " ".join(done.out.split())


@pytest.mark.parametrize(
    "change",
    [
        lambda certificate: certificate.update(spikes="many"),
        lambda certificate: certificate.update(more=1),
        lambda certificate: certificate.pop("graph_sha256"),
        lambda certificate: certificate.pop("fired"),
    ],
)
def test_a_damaged_certificate_is_refused(cli, traced: Path, tmp_path: Path, change) -> None:
    rewrite(traced, lambda g, _: change(g["metadata"]["certificate"]), tmp_path / "m.spg")
    for command in ("show", "verify"):
        refused(cli(command, "m.spg"), "certificate", "damaged")


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """A network that never fired while it was compared."""
    sample = torch.zeros(2, 4, *MODELS["max_former_digits"].input_shape)
    model = load_model("max_former_digits")
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.fill_(-10.0)
    graph = trace(model, sample, input_domain="graded")
    assert read_seal(graph).is_silent  # type: ignore[union-attr]
    graph.save(tmp_path / "silent.spg")
    return tmp_path / "silent.spg"


def test_a_proof_without_a_spike_proves_nothing(cli, silent: Path) -> None:
    assert "NOTHING PROVEN: no neuron fired" in cli("show", silent).out
    done = cli("verify", silent)
    assert done.code == 1
    assert "NOTHING PROVEN" in done.out
    assert cli("verify", silent, "--json").json["ok"] is False
    allowed = cli("verify", silent, "--allow-silent")
    assert allowed.code == 0
    assert "NOTHING PROVEN" in allowed.out


@pytest.mark.parametrize("out", ["a.txt", "a", "a.spg.json", "a.SPG"])
def test_a_graph_under_another_suffix_is_refused_with_advice(cli, tmp_path: Path, out: str) -> None:
    refused(cli("trace", "max_former_digits", "-o", out), "*.spg", "Call it")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["verify", "max_former_digits"], ["only stored graphs"]),
        (["verify", "{graph}", "--input", "2,4,2,32,32"], ["no model to compare with"]),
        (["verify", "{graph}", "--model", "max_former_digit"], ["Did you mean max_former_digits"]),
        (["verify", "{graph}", "--model", "max_former_digits", "--sample", "x.npy"],
         ["x.npy", "does not exist"]),
        (["verify", "{graph}", "--model", "max_former_digits", "--sample", "{graph}"],
         ["no .npy file"]),
        (["verify", "{graph}", "--model", "max_former_digits", "--sample", "x.npy", "--input",
          "2,2"], ["an input is given already"]),
        (["verify", "{graph}", "--model", "max_former_digits", "--input", "2,4,3,32,32"],
         ["does not run"]),
        (["verify", "gone.spg"], ["does not exist"]),
        (["show", "{graph}", "--input", "2,2"], ["knows its input"]),
        (["show", "{graph}", "--domain", "spike"], ["knows its input"]),
        (["show", "{graph}", "--checkpoint", "w.pt"], ["has its weights"]),
        (["show", "max_former_digit"], ["Did you mean"]),
        (["check", "{graph}", "--target", "lave"], ["Did you mean lava"]),
        (["check", "{graph}", "--target", "reference"], ["nothing to check"]),
        (["check", "{graph}", "--domain", "spike"], ["knows its input"]),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(cli, traced: Path, args: list[str], words: list[str]) -> None:
    refused(cli(*(arg.format(graph=traced) for arg in args)), *words)


def test_numbers_that_are_no_numbers(cli, traced: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array(["a", "b"]))
    options = ("--model", "max_former_digits", "--sample", "x.npy")
    refused(cli("verify", traced, *options), "no .npy file of numbers")


def test_a_certificate_that_promises_too_much_takes_no_memory(
    cli, traced: Path, tmp_path: Path
) -> None:
    def change(content, _) -> None:
        content["metadata"]["certificate"]["input_shape"] = [10**6, 10**6]

    rewrite(traced, change, tmp_path / "m.spg")
    done = cli("verify", "m.spg", "--model", "max_former_digits")
    refused(done, "would hold 1,000,000,000,000 numbers")


def test_a_structure_can_be_looked_at_without_weights(cli) -> None:
    shown = cli("show", "spikformer_cifar_2_384", "--untrained", "--json")
    assert shown.code == 0, shown.err
    assert shown.json["source"]["model"] == "spikformer_cifar_2_384"
    told = cli("check", "spikformer_cifar_2_384", "--target", "all", "--untrained", "--json")
    assert told.code == 0 and told.json
    refused(cli("show", "spikformer_cifar_2_384"), "no trained weights", "--untrained")
    refused(cli("show", "mynet:make", "--untrained"), "fresh weights are for models by name")
