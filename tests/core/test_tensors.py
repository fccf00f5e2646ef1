import tempfile
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeport.core.tensors import load_tensors, save_tensors


def test_tensors_and_metadata_come_back(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6).reshape(2, 3), "b": torch.rand(4).double()}
    save_tensors(tmp_path / "t.safetensors", tensors, {"k": "v"})
    back, metadata = load_tensors(tmp_path / "t.safetensors")
    assert metadata == {"k": "v"}
    assert all(torch.equal(back[name], value) for name, value in tensors.items())


# Names and values as JSON may have to write them; surrogates are no text.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.dictionaries(TEXTS, TEXTS, max_size=6), st.lists(TEXTS, unique=True, max_size=3))
def test_the_same_content_makes_the_same_bytes(metadata: dict[str, str], names: list[str]) -> None:
    tensors = {name: torch.arange(index) for index, name in enumerate(names)}
    turned = dict(reversed(metadata.items()))
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first.safetensors"), Path(folder, "second.safetensors")
        save_tensors(first, tensors, metadata)
        save_tensors(second, dict(reversed(tensors.items())), turned)
        assert first.read_bytes() == second.read_bytes()
        back, told = load_tensors(first)
    assert told == metadata
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], value) for name, value in tensors.items())
