"""Cases of the reference runs: the copies that lie here, or those of `--reference DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikeport.train.reference import read_manifest

HERE = Path(__file__).parent


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = Path(metafunc.config.getoption("--reference") or HERE)
    manifests = sorted(folder.glob("*.manifest.json"))
    if "manifest_file" in metafunc.fixturenames:
        metafunc.parametrize("manifest_file", manifests, ids=_name)
    if "golden_case" in metafunc.fixturenames:
        cases = [path for path in manifests if _results(path).is_file()]
        metafunc.parametrize("golden_case", cases, ids=_name)


def _name(manifest: Path) -> str:
    return manifest.name.removesuffix(".manifest.json")


def _results(manifest: Path) -> Path:
    """The npz beside a manifest, or where the manifest says that it is."""
    beside = manifest.with_name(f"{_name(manifest)}.golden.npz")
    told = read_manifest(manifest).get("golden_file", beside.name)
    return beside if beside.is_file() else manifest.parent / told


@pytest.fixture
def golden_results(golden_case: Path) -> dict[str, NDArray[Any]]:
    with np.load(_results(golden_case)) as stored:
        return dict(stored)


@pytest.fixture
def manifest(manifest_file: Path) -> dict[str, Any]:
    return dict(read_manifest(manifest_file))
