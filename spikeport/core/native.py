"""C sources as libraries of this machine: compiled on first use, kept in the cache folder."""

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
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch

from spikeport.core.errors import FileError, SpikeportError
from spikeport.core.files import atomic_path, cache_folder

# Contraction would round once where SpikingJelly rounds twice.
_EXACT = ("-std=gnu11", "-O3", "-fPIC", "-shared", "-ffp-contract=off")
_FAST = ("-fno-math-errno", "-fno-trapping-math")
_VECTORS = {
    "AVX2": ("-mavx2",),
    "AVX512": ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"),
}
_PATIENCE = 120  # seconds
# The threads of OpenMP do not live on in a forked process, and would be waited for.
_PROCESS = os.getpid()
# Numbers that are worth a thread; torch shares its own work out by the same measure.
_GRAIN = 1 << 15


class CompileError(SpikeportError):
    """No compiler, or one that cannot make the library."""


def load_library(source: Path, definitions: Sequence[str] = ()) -> ctypes.CDLL:
    """The functions of a C source.

    Args:
        definitions: what the preprocessor is told, such as "BLOCK=128".

    Raises:
        CompileError: there is no C compiler, or it fails.
    """
    compiler = _compiler()
    vectors = _VECTORS.get(torch.backends.cpu.get_cpu_capability(), ())
    defined = [f"-D{definition}" for definition in definitions]
    failure: Exception | None = None
    # Compilers without OpenMP or some other flag make a slower library.
    for extra in ((*_FAST, "-fopenmp", *vectors), (*_FAST, *vectors), ()):
        try:
            return _load([*compiler, *_EXACT, *extra, *defined], source)
        except (OSError, subprocess.SubprocessError) as error:
            failure = error
    detail = getattr(failure, "stderr", None) or str(failure)
    raise CompileError(
        f"it cannot compile {source.name}: {detail.strip()[-500:]}", where=shlex.join(compiler)
    ) from failure


def threads_for(numbers: int) -> int:
    """How many of torch's threads work on so many numbers."""
    if os.getpid() != _PROCESS:
        return 1
    return max(1, min(torch.get_num_threads(), numbers // _GRAIN))


def _compiler() -> list[str]:
    if os.name != "posix":
        raise CompileError("C code is compiled on Linux and macOS only.", where=os.name)
    asked = os.environ.get("CC", "").strip()
    candidates = [shlex.split(asked)] if asked else [["cc"], ["gcc"], ["clang"]]
    for command in candidates:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in candidates)
    raise CompileError("no C compiler is installed.", where=names)


def _load(command: list[str], source: Path) -> ctypes.CDLL:
    # The vector flags stand for the processor, in case machines share this folder.
    text = "\0".join((*command, platform.machine(), source.read_text()))
    name = f"{source.stem}-{sha256(text.encode()).hexdigest()[:16]}.so"
    folder = cache_folder() / "kernels"
    path = folder / name
    with contextlib.suppress(FileError, OSError):
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with atomic_path(path) as temporary:
                _compile(command, source, temporary)
            path.chmod(0o600)  # by default, some systems let a group write
        if _is_ours(folder) and _is_ours(path):
            return ctypes.CDLL(str(path))
    # The folder cannot be written, or others can: make one for this process. A library that is
    # loaded stays when its file goes.
    with tempfile.TemporaryDirectory(prefix="spikeport-") as private:
        path = Path(private) / name
        _compile(command, source, path)
        return ctypes.CDLL(str(path))


def _compile(command: list[str], source: Path, target: Path) -> None:
    subprocess.run(
        [*command, str(source), "-o", str(target), "-lm"],
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
