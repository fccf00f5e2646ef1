from pathlib import Path

import torch

from spikeport.core.tensors import load_tensors, save_tensors


def test_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).reshape(2, 3), "b": torch.rand(4).double()}
    save_tensors(tmp_path / "t.safetensors", tensors, {"k": "v"})
    back, metadata = load_tensors(tmp_path / "t.safetensors")
    assert metadata == {"k": "v"}
    assert all(torch.equal(back[name], value) for name, value in tensors.items())
