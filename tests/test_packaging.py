"""A wheel installed outside the checkout works, without Lava too; mypy checks every folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILD = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"


def run(
    command: list[str], cwd: Path, timeout: float = 240, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def copy_sources(target: Path) -> Path:
    ignored = shutil.ignore_patterns(
        ".*", "__pycache__", "build", "dist", "*.egg-info", "spikeport-demo", "runs", "tests"
    )
    shutil.copytree(ROOT, target, symlinks=True, ignore=ignored)
    return target


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as an installer would leave it."""
    base = tmp_path_factory.mktemp("wheel")
    built = run([sys.executable, "-c", BUILD, str(base)], copy_sources(base / "source"))
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(next(base.glob("*.whl"))) as wheel:
        wheel.extractall(base / "site")
    return base / "site"


IMPORT_ALL = """
import importlib, pkgutil, sys
import spikeport
assert spikeport.__file__.startswith(sys.argv[1]), spikeport.__file__
names = [m.name for m in pkgutil.walk_packages(spikeport.__path__, "spikeport.")]
from spikeport.targets.lava.shim import import_lava
import_lava()  # modules that define Lava processes are imported behind its shim only
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_every_module_imports_from_an_installed_wheel(site: Path, tmp_path: Path) -> None:
    done = run([sys.executable, "-c", IMPORT_ALL, str(site)], tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    sources = [path for path in (site / "spikeport").rglob("*.py") if path.name != "__init__.py"]
    assert int(done.stdout) >= len(sources)


def test_the_wheel_holds_data_licence_and_type_marker(site: Path) -> None:
    assert (site / "spikeport" / "py.typed").exists()
    assert (site / "spikeport" / "train" / "weights" / "max_former_digits.safetensors").exists()
    assert list((site / "spikeport").rglob("horowitz45-fp32.toml"))
    assert list((site / "spikeport").rglob("chips/loihi2.toml"))
    assert (site / "spikeport" / "train" / "recipes" / "digits.yaml").exists()
    templates = {path.suffix for path in (site / "spikeport" / "report" / "templates").iterdir()}
    assert templates >= {".j2", ".css", ".js"}
    assert list(site.glob("spikeport-*.dist-info/licenses/LICENSE"))
    top_level = {path.name for path in site.iterdir() if "dist-info" not in path.name}
    assert top_level == {"spikeport"}


WITHOUT_LAVA = """
import sys
class NoLava:
    def find_spec(self, name, path=None, target=None):
        if name == "lava" or name.startswith("lava."):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, NoLava())
import torch
from spikeport import load_model, trace, lower
graph = trace(load_model("max_former_digits"), torch.ones(2, 4, 2, 32, 32), input_domain="graded")
frames = torch.ones(4, 2, 2, 32, 32)
artefact = lower(graph, "lava", calibration=frames)
print(artefact.executor().run(frames).shape)
from spikeport.core.errors import MissingPackageError
from spikeport.targets.lava import run_on_lava
try:
    run_on_lava(artefact.graph, frames)
except MissingPackageError as error:
    print(error)
"""


def test_without_lava_everything_but_its_runtime_works(site: Path, tmp_path: Path) -> None:
    done = run([sys.executable, "-c", WITHOUT_LAVA], tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr
    assert "torch.Size([2, 10])" in done.stdout
    assert "uv sync" in done.stdout


@pytest.mark.slow
def test_mypy_sees_a_planted_error_in_each_package(tmp_path: Path) -> None:
    """A layout behind links could hide a package from the type checker."""
    source = copy_sources(tmp_path / "source")
    packages = ("train", "convert", "estimate", "targets", "spikeport/core", "spikeport/cli")
    for package in packages:
        (source / package / "planted.py").write_text("x: int = 'text'\n")
    done = run([sys.executable, "-m", "mypy"], source, timeout=600)
    for package in packages:
        path = package if package.startswith("spikeport") else f"spikeport/{package}"
        assert f"{path}/planted.py:1: error" in done.stdout, done.stdout
