import os
from pathlib import Path

import pytest
import torch

from spikeport.core.errors import FileError
from spikeport.core.tensors import load_state_dict, load_tensors, save_tensors


def test_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).reshape(2, 3), "b": torch.rand(4).double()}
    save_tensors(tmp_path / "t.safetensors", tensors, {"k": "v"})
    back, metadata = load_tensors(tmp_path / "t.safetensors")
    assert metadata == {"k": "v"}
    assert all(torch.equal(back[name], value) for name, value in tensors.items())


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_torch_checkpoints_are_read_with_their_usual_wrappers(
    tmp_path: Path, wrapper: str | None
) -> None:
    weights = {"w": torch.ones(2)}
    torch.save(weights if wrapper is None else {wrapper: weights, "epoch": 3}, tmp_path / "c.pt")
    back, _ = load_state_dict(tmp_path / "c.pt")
    assert torch.equal(back["w"], torch.ones(2))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_wants_to_run_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"
    torch.save({"w": Bomb(proof)}, tmp_path / "evil.pt")
    with pytest.raises(FileError, match="could run code"):
        load_state_dict(tmp_path / "evil.pt")
    assert not proof.exists()


@pytest.mark.parametrize("name", ["c.pt", "c.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 100, 300])
def test_a_truncated_checkpoint_is_told(tmp_path: Path, name: str, keep: int) -> None:
    path = tmp_path / name
    if name.endswith(".pt"):
        torch.save({"w": torch.ones(200)}, path)
    else:
        save_tensors(path, {"w": torch.ones(200)}, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileError, match="truncated"):
        load_state_dict(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"w": "text"}, torch.ones(3)])
def test_a_foreign_file_is_told(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "c.pt")
    with pytest.raises(FileError, match="state dict"):
        load_state_dict(tmp_path / "c.pt")


def test_a_picture_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "c.pth").write_bytes(b"\x89PNG\r\n" + bytes(500))
    with pytest.raises(FileError, match="not a checkpoint"):
        load_state_dict(tmp_path / "c.pth")
