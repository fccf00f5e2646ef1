"""Checkpoint files that must be refused: nothing in them runs, nothing they claim is allocated."""

from __future__ import annotations

import argparse
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import refused, with_pickle


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


class MyNamespace(argparse.Namespace):
    """Rebuilding it would import a module of the writer's choice."""


def bombs(proof: Path) -> dict[str, Any]:
    return {
        "posix.mkdir": Calls(os.mkdir, str(proof)),
        "posix.system": Calls(os.system, f"touch {proof}"),
        "builtins.eval": Calls(eval, f"open({str(proof)!r}, 'w')"),
        "builtins.getattr": Calls(getattr, os.mkdir, "__call__"),
        "MyNamespace": MyNamespace(x=1),
        "pathlib": proof,
        "numpy._core.multiarray._reconstruct": np.ones(3),
        "builtins.bytearray": Calls(bytearray, 10**12),
        "torch.FloatTensor": Calls(torch.FloatTensor, 10**12),
        "torch.serialization.load": Calls(torch.load, str(proof)),
        "_codecs.encode": Calls(__import__("_codecs").encode, "x", "rot13"),
        "torch._tensor._rebuild_from_type_v2": Calls(
            torch._tensor._rebuild_from_type_v2, torch.Tensor, torch.Tensor, (), {}
        ),
    }


@pytest.mark.parametrize("name", bombs(Path("x")))
@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("beside", [True, False])
def test_a_pickle_that_wants_more_than_tensors(
    tmp_path: Path, name: str, new: bool, beside: bool
) -> None:
    proof, path = tmp_path / "it-ran", tmp_path / "evil.pt"
    bomb = bombs(proof)[name]
    content = {"state_dict": {"w": torch.ones(2)}, "args": bomb} if beside else {"w": bomb}
    torch.save(content, path, _use_new_zipfile_serialization=new)
    assert name in str(refused(path, "could run code"))
    assert not proof.exists()


def test_a_chain_of_getattr_by_hand(tmp_path: Path) -> None:
    chain = (
        b"\x80\x02cbuiltins\ngetattr\ncposix\nsystem\nX\x06\0\0\0__call\x86RX\x04\0\0\0echo\x85R."
    )
    path = with_pickle(tmp_path / "c.pt", chain)
    assert "builtins.getattr, posix.system" in str(refused(path, "could run code"))


def test_names_are_not_taken_apart_at_another_place(tmp_path: Path) -> None:
    path = with_pickle(tmp_path / "c.pt", b"\x80\x02c\ntorch FloatStorage\n)R.")
    refused(path, "could run code")


def test_calls_of_things_that_are_no_functions(tmp_path: Path) -> None:
    """Even if all names are harmless, torch calls only what it knows; the rest is damage."""
    for content in (b"\x80\x02X\x01\0\0\0w)R.", b"\x80\x02}(X\x01\0\0\0w)Rb.", b"\x80\x02NN\x81."):
        refused(with_pickle(tmp_path / "c.pt", content), "truncated|state dict")


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_plain_pickles(tmp_path: Path, protocol: int) -> None:
    path, proof = tmp_path / "bad.pt", tmp_path / "it-ran"
    path.write_bytes(pickle.dumps({"w": Calls(os.mkdir, str(proof))}, protocol))
    refused(path, "could run code" if protocol >= 2 else "not a checkpoint")
    path.write_bytes(pickle.dumps({"w": [1.0, 2.0]}, protocol))
    refused(path, "not a checkpoint|could run code")
    assert not proof.exists()


def test_a_namespace_that_hides_a_call(tmp_path: Path) -> None:
    path, proof = tmp_path / "c.pt", tmp_path / "it-ran"
    args = argparse.Namespace(lr=0.1, hook=Calls(os.mkdir, str(proof)))
    torch.save({"state_dict": {"w": torch.ones(1)}, "args": args}, path)
    refused(path, "could run code")
    assert not proof.exists()


FIELDS = b"K\x03X\x01\0\0\0<N}NK\x08K\x08K\0t"


SCALAR = b"cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\n"


@pytest.mark.parametrize(
    ("scalar", "told"),
    [
        # dtype("O") and an object
        (SCALAR + b"X\x02\0\0\0O8\x89\x88\x87R}\x86R", "no number"),
        # dtype("V99999999999") without data: numpy would make room for it
        (SCALAR + b"X\x0c\0\0\0V99999999999\x89\x88\x87R\x85R", "no number"),
        # dtype("U9") and bytes
        (SCALAR + b"X\x02\0\0\0U9\x89\x88\x87RU\x04abcd\x86R", "no number"),
        # dtype("f8") that BUILD would turn into a record with fields
        (
            SCALAR + b"X\x02\0\0\0f8\x89\x88\x87R(K\x03X\x01\0\0\0<N}NK\x08K\x08K\0tbN\x86R",
            "fields",
        ),
        # float64 with four bytes
        (SCALAR + b"X\x02\0\0\0f8\x89\x88\x87RU\x04abcd\x86R", "truncated"),
        # the constructor of a dtype out of a list of fields
        (SCALAR + b"](X\x01\0\0\0aX\x02\0\0\0O8\x86e\x89\x88\x87RN\x86R", "no number"),
    ],
)
def test_numpy_scalars_that_are_no_numbers(tmp_path: Path, scalar: bytes, told: str) -> None:
    path = with_pickle(tmp_path / "c.pt", b"\x80\x02}X\x06\0\0\0metric" + scalar + b"s.")
    refused(path, told)


def test_a_real_object_scalar_of_numpy(tmp_path: Path) -> None:
    path, proof = tmp_path / "c.pt", tmp_path / "it-ran"
    scalar = Calls(np._core.multiarray.scalar, np.dtype("O"), Calls(os.mkdir, str(proof)))
    torch.save({"state_dict": {"w": torch.ones(1)}, "metric": scalar}, path)
    refused(path, "could run code")
    torch.save(
        {"w": torch.ones(1), "m": Calls(np._core.multiarray.scalar, np.dtype("O"), {})}, path
    )
    refused(path, "no number")
    assert not proof.exists()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_torchscript_program(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "m.pt")
    refused(tmp_path / "m.pt", "TorchScript")
