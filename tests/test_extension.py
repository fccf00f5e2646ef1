"""The example in `examples/` is installed as users install it, and used by the commands."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "spikeport-saturating"
NAMES = {
    "ops": "saturating.clip",
    "passes": "saturate-currents",
    "targets": "saturating",
    "energy models": "saturating-45nm",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, installed offline into a folder of its own."""
    base = tmp_path_factory.mktemp("extension")
    # pip builds in the source folder.
    source = shutil.copytree(EXAMPLE, base / "source")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check"),
            *("--target", str(base / "site"), str(source)),
        ],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return base / "site"


def run(site: Path, folder: Path, *args: str, code: int = 0) -> str:
    program = "import sys; from spikeport.cli import main; sys.argv[0] = 'spikeport'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout if code < 2 else done.stderr


def test_list_shows_what_it_adds(site: Path, tmp_path: Path) -> None:
    found = json.loads(run(site, tmp_path, "list", "--json"))
    for kind, name in NAMES.items():
        assert found[kind][name].endswith("(from spikeport-saturating)")
    assert "extensions that cannot be used" not in found


def test_check_and_evaluate_take_its_target(site: Path, tmp_path: Path) -> None:
    report = json.loads(run(site, tmp_path, "check", "max_former_digits", "--json"))
    by_target = {each["target"]: each for each in report["targets"]}
    assert set(by_target) == {"lava", "onnx", "nir", "saturating"}
    counts = by_target["saturating"]["counts"]
    assert counts == {"exact": 44, "rewritten": 0, "approximate": 16, "unsupported": 0}
    options = ("--samples", "20", "--target", "reference,saturating", "--json")
    results = json.loads(run(site, tmp_path, "evaluate", "max_former_digits", *options))
    # Currents of this network stay below the limit nearly always.
    assert results["targets"]["saturating"]["agreement"] >= 0.9


def test_estimate_takes_its_energy_model(site: Path, tmp_path: Path) -> None:
    options = ("--samples", "5", "--json", "--energy", "saturating-45nm")
    report = json.loads(run(site, tmp_path, "estimate", "max_former_digits", *options))
    assert report["energy_model"]["id"] == "saturating-45nm"


STORE = """
from spikeport.convert import Domain, Graph, ops
from spikeport.convert.passes import PASSES
graph = Graph(outputs=("lif",))
graph.add("x", ops.Input((2,), Domain.SPIKE, True))
graph.add("lif", ops.IF(1.0, 0.0), ["x"])
PASSES["saturate-currents"](graph).save("clipped.spg")
"""


def test_its_op_is_stored_and_read_and_without_it_refused(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", STORE], cwd=tmp_path, env=environment, check=True)
    assert "saturating.clip" in run(site, tmp_path, "show", "clipped.spg")
    # Lava has no counterpart and says so, for an op that it has never heard of.
    assert "no counterpart for 'saturating.clip'" in run(
        site, tmp_path, "check", "clipped.spg", "--target", "lava", code=1
    )
    told = run(tmp_path / "nothing", tmp_path, "show", "clipped.spg", code=2)
    assert "kind 'saturating.clip'" in " ".join(told.split())
    assert "Install the package that defines it" in " ".join(told.split())
