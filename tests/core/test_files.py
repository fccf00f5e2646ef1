import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from spikeport.core import files
from spikeport.core.errors import FileError


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".tmp" in path.name]


def test_a_file_appears_whole_with_ordinary_rights(tmp_path: Path) -> None:
    files.write_json(tmp_path / "new" / "a.json", {"x": 1})
    target = tmp_path / "new" / "a.json"
    assert json.loads(target.read_text()) == {"x": 1}
    mask = os.umask(0)
    os.umask(mask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~mask
    assert not leftovers(tmp_path / "new")


def test_the_rights_of_what_other_threads_write_meanwhile_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The umask is the process's: to look at it is to set it for everybody."""
    mask = os.umask(0o027)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "umask", lambda mask: pytest.fail("the umask is touched"))
            files.write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def _write_half(target: Path) -> None:
    with files.atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("halfway")


def test_an_error_while_writing_keeps_the_earlier_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("earlier")
    with pytest.raises(RuntimeError, match="halfway"):
        _write_half(target)
    assert target.read_text() == "earlier"
    assert not leftovers(tmp_path)


def test_not_a_number_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(errno.EPIPE, "broken pipe"),
        FileNotFoundError(errno.ENOENT, "no file", "other"),
    ],
)
def test_errors_of_other_files_are_not_told_as_its_own(tmp_path: Path, error: OSError) -> None:
    with pytest.raises(type(error)) as caught, files.atomic_path(tmp_path / "a.txt"):
        raise error
    assert caught.value is error
    assert not list(tmp_path.iterdir())


def test_errors_of_writing_are_told(tmp_path: Path) -> None:
    for beside in ("", ".wide"):
        with (
            pytest.raises(FileError, match="cannot write it: Is a directory") as caught,
            files.atomic_path(tmp_path / "a.txt") as temporary,
        ):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", f"{temporary}{beside}")
        assert caught.value.where == str(tmp_path / "a.txt")


WRITING = """
import os, sys
from spikeport.core.files import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    sys.stdin.read()
"""


def test_only_files_that_nobody_writes_any_more_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "with [brackets]"
    target = folder / "a.npz"
    words = [sys.executable, "-c", WRITING, str(target)]
    writer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    name = writer.stdout.readline().strip()
    files.remove_abandoned(target)
    assert leftovers(folder) == [name]
    writer.kill()
    writer.communicate()
    files.remove_abandoned(folder / "other.npz")
    files.remove_abandoned(folder / "a.npy")
    assert leftovers(folder) == [name]
    (folder / ".a.npz.mine.tmp.npz").write_text("not of ours")
    files.remove_abandoned(target)
    assert leftovers(folder) == [".a.npz.mine.tmp.npz"]
    files.remove_abandoned(tmp_path / "no such folder" / "a.npz")


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from spikeport.core.errors import FileError
import torch
from spikeport.core.tensors import save_tensors
from spikeport.core.files import write_bytes
for write in (lambda p: write_bytes(p, b"x" * 100_000),
              lambda p: save_tensors(p, {"w": torch.zeros(100_000)}, {})):
    try:
        write(sys.argv[1])
    except FileError as error:
        print(error)
"""


def test_a_full_disk_leaves_no_half_file_and_keeps_the_earlier_one(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE is not None
    target = tmp_path / "weights.safetensors"
    target.write_text("earlier")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(target)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.count("cannot write it") == 2, done.stderr
    assert target.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("name", ["missing.txt", "."])
def test_what_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match=r"does not exist|is not a file"):
        files.readable_file(tmp_path / name, "graph")


def test_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path))
    assert files.cache_folder() == tmp_path
    monkeypatch.delenv("SPIKEPORT_CACHE")
    assert files.cache_folder().name == "spikeport"
