"""Bad input: one clear paragraph, exit code 2, nothing half-written, no earlier file lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.train.checkpoint import shipped_weights


def refused(done, *words: str) -> None:
    assert done.code == 2, done.out
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
    told = " ".join(done.err.split())
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["trace", "max_former_digit", "-o", "m.spg"], ["max_former_digits"]),
        (
            ["trace", "max_former_digits", "-o", "m.spg", "--domain", "spikes"],
            ["Did you mean spike"],
        ),
        (["estimate", "max_former_digits", "--data", "digit"], ["Did you mean digits"]),
        (["estimate", "max_former_digits", "--split", "tset"], ["Did you mean test"]),
        (["estimate", "max_former_digits", "--framing", "counts"], ["Did you mean count"]),
        (["estimate", "max_former_digits", "--energy", "horowitz45"], ["horowitz45-fp32"]),
        (["estimate", "max_former_digits", "--paper", "maxformer"], ["max-former"]),
        (["estimate", "max_former_digits", "--energy", "ann-cpu,an-gpu"], ["ann-gpu"]),
        (["estimate", "max_former_digits", "--energy", "ann-cpu,ann-cpu"], ["asked for twice"]),
        (["estimate", "max_former_digits", "--paper", "spikformer:stem=owm"], ["own"]),
        (["estimate", "max_former_digits", "--chip", "loihi3"], ["loihi2"]),
        (["evaluate", "max_former_digits", "--target", "lave"], ["Did you mean lava"]),
        (["lower", "max_former_digits", "-o", "x", "--target", "loihi"], ["lava"]),
        (["train", "digit"], ["Did you mean digits"]),
        (["train", "digits", "epoch=3"], ["Did you mean epochs"]),
        (["train", "digits", "epochs=none"], ["epochs"]),
        (["train", "digits", "epochs"], ["key=value"]),
    ],
)
def test_an_unknown_name_tells_the_near_matches(
    cli, tmp_path: Path, args: list[str], words: list[str]
) -> None:
    refused(cli(*args), *words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", ["2,x", "", "2,0,4", "-1,2", "99999,99999,99999"])
def test_a_bad_shape(cli, shape: str) -> None:
    refused(cli("trace", "max_former_digits", f"--input={shape}", "-o", "m.spg"), "--input")


def test_a_wrong_input_size_names_the_right_one(cli, tmp_path: Path) -> None:
    done = cli("trace", "max_former_digits", "--input", "2,4,2,28,28", "-o", "m.spg")
    refused(done, "2, 32, 32")
    assert not list(tmp_path.iterdir())


def test_data_of_another_size_than_the_graph(cli, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "from spikingjelly.activation_based import neuron\n"
        "def make():\n    return nn.Sequential(neuron.IFNode(step_mode='m'))\n"
    )
    assert cli("trace", "mine:make", "--input", "4,2,2,8,8", "-o", "m.spg").code == 0
    refused(cli("estimate", "m.spg", "--data", "digits"), "[2, 8, 8]", "[2, 32, 32]")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nowhere:make", "No module named"),
        ("mine:missing", "no attribute"),
        ("mine:number", "not callable"),
        ("mine:nothing", "not an nn.Module"),
        ("mine:broken", "calling it failed: ZeroDivisionError"),
    ],
)
def test_a_factory_that_does_not_work(cli, tmp_path: Path, spec: str, words: str) -> None:
    (tmp_path / "mine.py").write_text(
        "number = 3\ndef nothing():\n    return None\ndef broken():\n    return 1 / 0\n"
    )
    sys.modules.pop("mine", None)
    refused(cli("trace", spec, "--input", "2,2,8,8", "-o", "m.spg"), spec, words)


def test_a_model_of_the_user_needs_an_input_shape(cli, tmp_path: Path) -> None:
    (tmp_path / "mine2.py").write_text("from torch import nn\nmake = nn.Identity\n")
    refused(cli("trace", "mine2:make", "-o", "m.spg"), "--input")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("it-ran",)


def _write_checkpoint(kind: str, path: Path) -> None:
    weights, _metadata = load_tensors(shipped_weights("max_former_digits"))
    if kind == "truncated":
        whole = shipped_weights("max_former_digits").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "picture":
        path.write_bytes(b"\x89PNG" + bytes(1000))
    elif kind == "pickle":
        torch.save({"w": Bomb()}, path)
    elif kind == "classes":
        weights["head.weight"], weights["head.bias"] = torch.zeros(11, 64), torch.zeros(11)
        torch.save(weights, path)
    elif kind == "other-model":
        save_tensors(path, {"fc.weight": torch.zeros(2, 2)}, {})


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("missing", "c.pt", "does not exist"),
        ("truncated", "c.safetensors", "truncated"),
        ("picture", "c.pth", "not a checkpoint"),
        ("pickle", "c.pt", "could run code"),
        ("classes", "c.pt", "11 classes"),
        ("other-model", "c.safetensors", "not the weights of this model"),
    ],
)
def test_a_bad_checkpoint_writes_nothing_and_keeps_the_earlier_graph(
    cli, tmp_path: Path, kind: str, name: str, words: str
) -> None:
    (tmp_path / "m.spg").write_text("earlier")
    _write_checkpoint(kind, tmp_path / name)
    done = cli("trace", "max_former_digits", "--checkpoint", name, "-o", "m.spg")
    refused(done, name, words)
    assert (tmp_path / "m.spg").read_text() == "earlier"
    assert {path.name for path in tmp_path.iterdir()} <= {"m.spg", name}


def test_a_class_count_that_the_shipped_weights_do_not_have(cli) -> None:
    refused(cli("trace", "max_former_digits", "--classes", 11, "-o", "m.spg"), "classes")


def test_a_model_without_shipped_weights(cli) -> None:
    refused(cli("trace", "max_former_event", "-o", "m.spg"), "no trained weights")


def test_a_checkpoint_is_no_graph(cli, tmp_path: Path) -> None:
    _write_checkpoint("other-model", tmp_path / "m.spg")
    refused(cli("estimate", "m.spg"), "holds no graph")


def test_a_network_that_cannot_be_carried_names_the_module(cli, tmp_path: Path) -> None:
    (tmp_path / "mine3.py").write_text(
        "from torch import nn\n"
        "from spikingjelly.activation_based import neuron\n"
        "def make():\n"
        "    return nn.Sequential(neuron.IFNode(step_mode='m'), nn.Sequential(nn.GELU()))\n"
    )
    done = cli("trace", "mine3:make", "--input", "4,2,3,8,8", "-o", "m.spg")
    refused(done, "1.0:", "aten.gelu.default cannot be carried")


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv = ["spikeport", "trace", "max_former_digits", "-o", "m.spg"]
from spikeport.cli import main
main()
"""


def test_a_full_disk_keeps_the_earlier_graph(tmp_path: Path) -> None:
    (tmp_path / "m.spg").write_text("earlier")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "cannot write it" in " ".join(done.stderr.split())
    assert (tmp_path / "m.spg").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["m.spg"]


def test_debug_shows_the_traceback(cli) -> None:
    with pytest.raises(Exception, match="no model has this name"):
        cli("--debug", "trace", "nothing", "-o", "m.spg")


@pytest.mark.parametrize(
    "args",
    [
        ["trace"],
        ["nonsense"],
        ["estimate", "x.spg", "--samples", "abc"],
        ["estimate", "x.spg", "--samples", "0"],
        ["estimate", "x.spg", "--steps", "1000000"],
        ["trace", "max_former_digits", "--classes", "100000000000", "-o", "m.spg"],
    ],
)
def test_wrong_options_are_wrong_use(cli, args: list[str]) -> None:
    done = cli(*args)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.err


def test_more_samples_than_there_are(cli) -> None:
    refused(cli("evaluate", "max_former_digits", "--samples", 5000), "has 1000 in split test")


def test_brackets_in_names_are_no_markup(cli, tmp_path: Path) -> None:
    done = cli("trace", "max_former_digits", "-o", "b[/b][red].spg")
    assert done.code == 0, done.err
    assert "b[/b][red].spg" in done.out


@pytest.mark.parametrize("code", ["raise SystemExit(0)", "print(undefined)", "1 / 0"])
def test_a_module_that_does_not_import(cli, tmp_path: Path, code: str) -> None:
    (tmp_path / "broken_module.py").write_text(code)
    sys.modules.pop("broken_module", None)
    done = cli("trace", "broken_module:make", "--input", "2,2,8,8", "-o", "m.spg")
    refused(done, "cannot import it")


def test_what_nobody_foresaw_is_still_one_paragraph(cli, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("spikeport.convert.api.trace", fail)
    refused(cli("trace", "max_former_digits", "-o", "m.spg"), "MemoryError", "--debug")


def test_a_device_is_not_replaced_by_a_file(cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.spg")
    refused(cli("trace", "max_former_digits", "-o", "pipe.spg"), "not a regular file")
