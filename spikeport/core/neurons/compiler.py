"""kernel.c as a library of this machine: compiled on first use, kept in the cache folder."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shlex
import shutil
import stat
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import torch

from spikeport.core.errors import FileError, SpikeportError
from spikeport.core.files import atomic_path, cache_folder

BLOCK = 128
"""Neurons that are worked on at a time; of 64 to 2048 the fastest, above all backwards."""
SOURCE = Path(__file__).with_name("kernel.c")
# Contraction would round once where SpikingJelly rounds twice.
_EXACT = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-ffp-contract=off")
_FAST = ("-fno-math-errno", "-fno-trapping-math")
_VECTORS = {
    "AVX2": ("-mavx2",),
    "AVX512": ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"),
}
_PATIENCE = 120  # seconds


class CompileError(SpikeportError):
    """No compiler, or one that cannot make the library."""


def load_library(real: str) -> ctypes.CDLL:
    """The functions of kernel.c for `real` ("float" or "double").

    Raises:
        CompileError: there is no C compiler, or it fails.
    """
    compiler = _compiler()
    vectors = _VECTORS.get(torch.backends.cpu.get_cpu_capability(), ())
    definitions = (
        f"-DREAL={real}",
        f"-DBLOCK={BLOCK}",
        *(("-DREAL_IS_FLOAT",) if real == "float" else ()),
    )
    failure: Exception | None = None
    # Compilers without OpenMP or some other flag make a slower library.
    for extra in ((*_FAST, "-fopenmp", *vectors), (*_FAST, *vectors), ()):
        try:
            return _load([*compiler, *_EXACT, *extra, *definitions])
        except (OSError, subprocess.SubprocessError) as error:
            failure = error
    detail = getattr(failure, "stderr", None) or str(failure)
    raise CompileError(
        f"it cannot compile the neurons: {detail.strip()[-500:]}", where=shlex.join(compiler)
    ) from failure


def _compiler() -> list[str]:
    if os.name != "posix":
        raise CompileError("neurons are compiled on Linux and macOS only.", where=os.name)
    asked = os.environ.get("CC", "").strip()
    candidates = [shlex.split(asked)] if asked else [["cc"], ["gcc"], ["clang"]]
    for command in candidates:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in candidates)
    raise CompileError("no C compiler is installed.", where=names)


def _load(command: list[str]) -> ctypes.CDLL:
    # The vector flags stand for the processor, in case machines share this folder.
    text = "\0".join((*command, platform.machine(), SOURCE.read_text()))
    name = f"neurons-{sha256(text.encode()).hexdigest()[:16]}.so"
    folder = cache_folder() / "kernels"
    path = folder / name
    with contextlib.suppress(FileError, OSError):
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with atomic_path(path) as temporary:
                _compile(command, temporary)
            path.chmod(0o600)  # by default, some systems let a group write
        if _is_ours(folder) and _is_ours(path):
            return ctypes.CDLL(str(path))
    # The folder cannot be written, or others can: make one for this process. A library that is
    # loaded stays when its file goes.
    with tempfile.TemporaryDirectory(prefix="spikeport-") as private:
        path = Path(private) / name
        _compile(command, path)
        return ctypes.CDLL(str(path))


def _compile(command: list[str], target: Path) -> None:
    subprocess.run(
        [*command, str(SOURCE), "-o", str(target), "-lm"],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_PATIENCE,
    )


def _is_ours(path: Path) -> bool:
    """Whether only this user can change it: loading a library runs it."""
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
