"""What the commands do when all is well."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from torch.optim.optimizer import register_optimizer_step_post_hook

from spikeport.convert import Graph
from spikeport.convert.ops import MaxPool

MODEL_OF_A_USER = """
id = "mine"
title = "Ours"
technology = "22 nm"
precision = "int8"
graded_events = "events"
includes = ["synaptic operations"]
excludes = ["memory"]
[constants.op]
value = 2
unit = "pJ"
meaning = "one step of ours"
source = "data sheet"
status = "measured"
verified = false
[[charges]]
count = "sop"
constant = "op"
[static.power]
value = 2
unit = "mW"
meaning = "leakage"
source = "data sheet"
status = "measured"
verified = true
[static.latency]
value = 1
unit = "ms"
per = "step"
meaning = "one time step"
source = "data sheet"
status = "measured"
verified = true
"""
COMMANDS = (
    *("demo", "train", "trace", "show", "check", "verify", "estimate", "lower", "evaluate"),
    *("simulate", "report", "spectrum", "transfer"),
    *("list", "doctor"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(cli, command: str) -> None:
    done = cli(command, "--help")
    assert done.code == 0
    assert f"Example: spikeport {command}" in done.out


def test_help_needs_no_torch() -> None:
    """Help must come at once; importing torch takes seconds."""
    code = (
        "import sys; sys.argv = ['spikeport', 'trace', '--help']\n"
        "from spikeport.cli import main\n"
        "try: main()\n"
        "finally: assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_list_names_what_the_other_commands_take(cli) -> None:
    done = cli("list", "--json")
    assert done.code == 0
    assert "max_former_digits" in done.json["models"]
    assert "digits" in done.json["data"]
    assert "horowitz45-fp32" in done.json["energy models"]
    assert "5 of 5 limits unverified" in done.json["chips"]["loihi2"]
    assert "6 of 6 constants unverified" in done.json["energy models"]["loihi1-davies"]
    assert "multi-spike=ac|mac" in done.json["paper modes"]["spikingformer"]
    assert set(done.json["targets"]) == {"reference", "lava", "nir", "onnx"}
    assert "max_former_event" in cli("list").out


def test_doctor_finds_this_environment_well(cli) -> None:
    done = cli("doctor", "--json")
    assert done.code == 0
    findings = {finding["part"]: finding["status"] for finding in done.json}
    assert findings["Lava"] == findings["onnxruntime"] == findings["numpy window"] == "ok"
    assert "numpy window" in cli("doctor").out


def test_trace_stores_a_proven_graph(cli) -> None:
    done = cli("trace", "max_former_digits", "-o", "m.spg")
    assert done.code == 0
    assert "spikes in 16 neuron layers equal to the model's" in done.out
    assert Graph.load("m.spg").metadata["certificate"]["neurons"] == 16
    again = cli("trace", "max_former_digits", "-o", "m.spg", "--json")
    assert again.json["certificate"]["neurons"] == 16


USERS_TRAIN = """
import helper_of_mine
from spikingjelly.activation_based import functional, layer, neuron
from torch import nn

def make():
    net = nn.Sequential(layer.Conv2d(2, 4, 3), layer.BatchNorm2d(4), neuron.IFNode())
    functional.set_step_mode(net, "m")
    return net.eval()
"""


def test_the_users_train_is_his_and_ours_is_ours(tmp_path: Path) -> None:
    """A file called train.py in the current folder is what `train:make` means, and no more."""
    (tmp_path / "train.py").write_text(USERS_TRAIN)
    (tmp_path / "helper_of_mine.py").write_text("")
    # A file of his that is called like a library that we import later must not stand in for it.
    (tmp_path / "safetensors.py").write_text("raise ImportError('the wrong one')\n")
    script = Path(sys.executable).with_name("spikeport")
    command = [script, "trace", "train:make", "--input", "4,2,2,8,8", "-o", "net.spg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert Graph.load(tmp_path / "net.spg").input.shape == (2, 8, 8)


def test_estimate_writes_tables_that_add_up(cli, tmp_path: Path) -> None:
    done = cli("estimate", "max_former_digits", "--samples", 30, "-o", "report", "--json")
    assert done.code == 0
    report = done.json
    assert report["samples"] == 30
    assert "simulated events" in report["data"]["provenance"]
    layers = pd.read_csv(tmp_path / "report" / "layers.csv")
    assert layers["energy_uJ"].sum() == pytest.approx(report["totals"]["energy_uJ"], rel=1e-12)
    assert layers["sop"].sum() == pytest.approx(report["totals"]["sop"], rel=1e-12)
    page = cli("estimate", "max_former_digits", "--samples", 30)
    assert "simulated events" in page.out
    assert "max-former" in page.out
    assert max(len(line) for line in page.out.splitlines()) <= 100


def test_estimate_fails_where_a_node_is_not_counted(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikeport.estimate.tally import RULES

    find = RULES.find
    monkeypatch.setattr(RULES, "find", lambda cls: None if cls is MaxPool else find(cls))
    done = cli("estimate", "max_former_digits", "--samples", 2, "-o", "report")
    assert done.code == 1
    assert done.out.splitlines()[0].startswith("INCOMPLETE: 5 UNCOUNTED")
    # What was counted is written all the same, and says so first.
    assert (tmp_path / "report" / "layers.csv").read_text().startswith("# INCOMPLETE")


def test_estimate_under_several_models_with_papers_and_chips(cli, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MODEL_OF_A_USER)
    done = cli(
        *("estimate", "max_former_digits", "--samples", 20, "-o", "report"),
        *("--energy", "mine.toml,loihi1-davies", "--chip", "loihi1,speck"),
        *("--paper", "max-former", "--paper", "spikingformer:multi-spike=mac"),
    )
    assert done.code == 0
    page = " ".join(done.out.split())
    for expected in ("one step of ours", "unverified", "loihi1-davies", "excludes", "capacity.csv"):
        assert expected in page
    assert "does not fit: needs at least" in page
    assert max(len(line) for line in done.out.splitlines()) <= 100
    layers = pd.read_csv(tmp_path / "report" / "layers.csv")
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    mine, loihi = report["energy_models"]
    assert layers["energy_uJ"].sum() == pytest.approx(mine["energy_uJ"])
    assert layers["energy_uJ[loihi1-davies]"].sum() == pytest.approx(loihi["energy_uJ"])
    assert mine["static_energy_uJ"] == pytest.approx(2e-3 * 4e-3 * 1e6)
    assert [paper["mode"] for paper in report["papers"]][1] == "spikingformer:multi-spike=mac"
    capacity = pd.read_csv(tmp_path / "report" / "capacity.csv")
    assert capacity["neurons"].sum() == report["capacity"]["totals"]["neurons"]
    assert report["origin"]["graph_sha256"] in capacity["origin"].iloc[0]
    assert "loihi1: 6 of 6 unverified" in capacity["limits"].iloc[0]


def test_a_stored_graph_counts_like_its_model(cli) -> None:
    cli("trace", "max_former_digits", "-o", "m.spg")
    stored = cli("estimate", "m.spg", "--samples", 20, "--json").json["totals"]
    named = cli("estimate", "max_former_digits", "--samples", 20, "--json").json["totals"]
    assert stored == named


def test_evaluate_compares_targets(cli, tmp_path: Path) -> None:
    options = ("--samples", 60, "--target", "reference,lava", "-o", "scores", "--json")
    done = cli("evaluate", "max_former_digits", *options)
    assert done.code == 0
    results = done.json["targets"]
    assert results["reference"]["accuracy"] > 0.9
    assert results["lava"]["agreement"] > 0.9
    assert (tmp_path / "scores" / "evaluation.json").exists()
    assert "simulated events" in cli("evaluate", "max_former_digits", "--samples", 10).out


def test_few_samples_are_of_all_classes(cli) -> None:
    """The recordings are sorted by class: the first ones would be of one class."""
    done = cli("estimate", "max_former_digits", "--samples", 20, "--json")
    assert len(done.json["accuracy"]["per_class"]) == 10


def test_lower_writes_an_artefact_and_proves_it_on_lava(cli, tmp_path: Path) -> None:
    done = cli("lower", "max_former_digits", "--data", "digits", "-o", "lowered")
    assert done.code == 0, done.err
    assert re.search(r"integer -> pump +90,624 +0 ", done.out)
    assert re.search(r"integer -> runtime +90,624 +0 ", done.out)
    assert re.search(r"latency in steps +13 +- +a sample of T steps takes T \+ 13", done.out)
    assert "Samples: simulated events" in done.out and "--set NAME=VALUE" in done.out
    assert re.search(r"bits of biases +1[34] +13", done.out)
    assert re.search(r"cores of loihi1 +12 or more +128", done.out)
    folder = tmp_path / "lowered"
    own = {"graph.spg", "report.json", "schedule.json", "resources.json", "README.txt"}
    proof = {"manifest.json", "golden.npz", "parity.json", "parity.csv", "parity.svg"}
    assert {path.name for path in folder.iterdir()} == own | proof
    done = cli("verify", "lowered", "--backend", "integer,pump")
    assert done.code == 0, done.err
    assert "Verified." in done.out
    (folder / "README.txt").write_bytes(b"?")
    done = cli("verify", "lowered")
    assert done.code == 1
    assert "README.txt was changed" in done.out


def test_train_runs_a_recipe_and_resumes(cli, tmp_path: Path) -> None:
    # Two classes of a small net would not need the digits; the command itself is what is tested.
    settings = (
        "epochs=1",
        "options.dim=16",
        "options.heads=2",
        "data.train_seeds=[0]",
        "warmup_epochs=0",
    )
    done = cli("train", "digits", *settings, "-o", "run", "--json")
    assert done.code == 0, done.err
    assert done.json["test_samples"] == 1000
    checkpoint = tmp_path / "run" / "max_former_digits.safetensors"
    assert checkpoint.exists()
    refused = cli("train", "digits", *settings, "-o", "run")
    assert refused.code == 2
    assert "already holds a training run" in refused.err
    traced = cli("trace", "max_former_digits", "--checkpoint", checkpoint, "-o", "m.spg")
    assert traced.code == 0, traced.err


TINY = (
    *("options.dim=16", "options.heads=2", "data.train_seeds=[0]", "warmup_epochs=0", "epochs=1"),
    *("engine=devices", "workers=1", "batch_size=100", "micro_batch_size=50"),
    "data.train=validation",
)


def test_train_stops_on_request_and_goes_on(cli, tmp_path: Path) -> None:
    taken: list[int] = []

    def ask(*_: object) -> None:
        taken.append(1)
        if len(taken) == 2:
            signal.raise_signal(signal.SIGTERM)

    handle = register_optimizer_step_post_hook(ask)
    done = cli("train", "digits", *TINY, "-o", "run")
    handle.remove()
    assert done.code == 0, done.err
    assert "Stopped on request in epoch 1 after 3 steps" in done.out and "--resume" in done.out
    settings = ("data.validation=0.05", "choose=validation")
    other = cli("train", "digits", *TINY, *settings, "-o", "run", "--resume")
    assert other.code == 2 and "another recipe" in other.err
    done = cli("train", "digits", *TINY, "-o", "run", "--resume")
    assert done.code == 0, done.err
    assert "no epoch was picked by the test data" in " ".join(done.out.split())
    # A heading and one epoch, in which no step was taken twice.
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2


def test_dry_run_prints_the_plan(cli, tmp_path: Path) -> None:
    done = cli("train", "digits", *TINY, "--dry-run")
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "label_smoothing: 0.1" in told and "training samples 500" in told
    assert "test samples 1,000" in told and "10 batches of" in told and "(training data)" in told
    assert not list(tmp_path.iterdir())
    small = ("options.dim=32", "options.heads=2", "options.steps=1", "batch_size=4")
    asked = (*small, "micro_batch_size=4", "--dry-run", "--variant", "published")
    done = cli("train", "max_former_cifar100", *asked, "--data", "cifar100:nowhere", "--json")
    assert done.code == 0, done.err
    assert done.json["train"] is None and done.json["recipe"]["data"]["validation"] == 0
    assert "cifar-100-python/" in done.json["missing"]
    assert done.json["step_seconds"] > 0 and done.json["timed_batch"] == 4
    assert done.json["parameters"] < 200_000
    done = cli("train", "max_former_cifar100", *small, "micro_batch_size=4")
    assert done.code == 2 and "Nothing is downloaded by itself" in done.err


def test_output_that_nobody_reads_is_no_error() -> None:
    script = Path(sys.executable).with_name("spikeport")
    done = subprocess.run(
        f"{script} list | head -n 1", shell=True, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""


def test_no_progress_bar_and_no_colour_without_a_terminal(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("spikeport")
    done = subprocess.run(
        [script, "evaluate", "max_former_digits"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "60"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
