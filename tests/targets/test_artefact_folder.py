"""A folder that proves itself, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.targets.artefact import is_artefact, read_manifest, verify_artefact, write_artefact
from spikeport.targets.lava import lower


@pytest.fixture(scope="module")
def written(max_former: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artefact") / "lava"
    write_artefact(max_former.artefact, max_former.frames[:, :2], folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "copy"))


def test_it_proves_itself_on_other_backends(folder: Path) -> None:
    check = verify_artefact(folder, ["integer", "pump"])
    assert check.ok, check.problems
    assert [parity.right for parity in check.parities] == ["integer", "pump"]
    assert all(parity.equal and parity.compared > 10_000 for parity in check.parities)
    assert check.as_json()["ok"] is True


def test_the_manifest_says_what_a_reader_needs(written: Path, max_former: Any) -> None:
    manifest = read_manifest(written)
    assert (manifest.target, manifest.time_steps, manifest.input.shape) == ("lava", 4, (2, 16, 16))
    assert manifest.latency == max_former.artefact.schedule.depth > 0
    assert manifest.tolerance.spikes == manifest.tolerance.outputs == 0
    assert manifest.conventions["stem_lif"]["kind"] == "lava.lif"
    assert manifest.conventions["stem_lif"]["vth"] > 0
    assert manifest.golden.fired > 0 and not manifest.golden.silent
    assert {path.name for path in written.iterdir()} == {*manifest.files, "manifest.json"}
    with np.load(written / "golden.npz") as traces:
        assert traces["frames"].shape == (4, 2, 2, 16, 16)
        assert traces["spikes.stem_lif"].dtype == bool


@pytest.mark.parametrize("name", ["graph.spg", "report.json", "golden.npz", "README.txt"])
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    check = verify_artefact(folder)
    assert not check.ok and check.problems == [
        f"{name} was changed after it was written (SHA-256 differs)."
    ]
    (folder / name).unlink()
    assert verify_artefact(folder).problems == [f"{name} is missing."]


def _edit(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_traces_of_another_network_are_found(folder: Path, max_former: Any) -> None:
    """Hashes can be forged, spikes cannot."""
    other = lower(max_former.graph, max_former.frames, weight_bits=4)
    write_artefact(other, max_former.frames[:, :2], folder.parent / "other")
    golden = folder.parent / "other" / "golden.npz"
    shutil.copy(golden, folder / "golden.npz")
    files = json.loads((folder / "manifest.json").read_text())["files"]
    files["golden.npz"] = json.loads((golden.parent / "manifest.json").read_text())["files"][
        "golden.npz"
    ]
    _edit(folder, files=files)
    problems = verify_artefact(folder).problems
    assert any("spikes differ from the golden run" in problem for problem in problems)


def test_another_graph_than_the_named_one_is_found(folder: Path) -> None:
    _edit(folder, graph_sha256="0" * 64)
    assert verify_artefact(folder).problems == ["The graph is not the one that the manifest names."]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"format": "other"},
        {"files": {"../graph.spg": {"bytes": 1, "sha256": "0" * 64}}},
        {"files": {}},
        {"latency": -1},
        {"surprise": 1},
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    _edit(folder, **changes)
    with pytest.raises(FileError, match="manifest is unusable"):
        read_manifest(folder)


def test_what_is_no_artefact_is_refused(folder: Path, tmp_path: Path) -> None:
    assert is_artefact(folder) and not is_artefact(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        verify_artefact(tmp_path)
    (folder / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(FileError, match="unusable"):
        read_manifest(folder)


def test_an_unknown_target_or_backend_is_refused(folder: Path) -> None:
    with pytest.raises(UnknownNameError):
        verify_artefact(folder, ["nothing_like_it"])
    _edit(folder, target="elsewhere")
    with pytest.raises(UnknownNameError):
        verify_artefact(folder)


def test_a_golden_run_without_spikes_is_no_proof(folder: Path) -> None:
    golden = json.loads((folder / "manifest.json").read_text())["golden"]
    _edit(folder, golden=golden | {"fired": 0})
    assert any("prove nothing" in problem for problem in verify_artefact(folder).problems)


def test_what_an_earlier_artefact_left_is_no_part_of_the_next(
    folder: Path, max_former: Any
) -> None:
    """A step.onnx of another network would stop the folder from being read."""
    from spikeport.targets import onnx

    graph, frames = max_former.graph, max_former.frames[:, :2]
    (folder / "mine.txt").write_text("of the user")
    (folder / "schedule.json").write_text("changed by the user")
    write_artefact(onnx.lower(graph, steps=4), frames, folder)
    first = set(read_manifest(folder).files)
    write_artefact(onnx.lower(graph, steps=4, streaming=False), frames, folder)
    found = {path.name for path in folder.iterdir()}
    assert first - found == {"step.onnx"}
    assert found == {*read_manifest(folder).files, "manifest.json", "mine.txt", "schedule.json"}
    assert verify_artefact(folder).ok


def test_an_interrupted_write_leaves_no_manifest(
    folder: Path, max_former: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikeport.targets.artefact import write

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "write_golden", stop)
    with pytest.raises(KeyboardInterrupt):
        write_artefact(max_former.artefact, max_former.frames[:, :2], folder)
    assert not is_artefact(folder)
    assert not list(folder.glob(".spikeport-*"))
