"""Files that are a header and then words of one size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeport.core.errors import FileError
from spikeport.train.data.readers.registry import PACKET

MAX_HEADER = 1 << 20


def truncated(path: Path, offset: int, why: str) -> FileError:
    """The error for a file that ends, or goes wrong, at a byte."""
    return FileError(
        f"{why}.",
        where=f"{path}, byte {offset}",
        fix="The file is truncated or damaged: copy it again. --skip-bad leaves it out.",
    )


def comment_lines(path: Path, mark: bytes) -> tuple[list[str], int]:
    """Lines at the start that begin with `mark`, and the byte behind them.

    Raises:
        FileError: the header is longer than a megabyte.
    """
    lines, end = [], 0
    with path.open("rb") as file:
        while file.read(len(mark)) == mark:
            line = file.readline(MAX_HEADER)
            end += len(mark) + len(line)
            if end > MAX_HEADER:
                raise truncated(path, 0, "its header does not end within a megabyte")
            lines.append(line.decode("latin-1").strip())
            if lines[-1] == "end" and mark == b"% ":
                break
    return lines, end


def check_words(path: Path, start: int, size: int) -> int:
    """How many words of `size` bytes there are.

    Raises:
        FileError: the last one is incomplete.
    """
    count, rest = divmod(path.stat().st_size - start, size)
    if rest:
        raise truncated(
            path, start + count * size, f"the last word has {rest} bytes instead of {size}"
        )
    return count


def read_words(path: Path, start: int, dtype: DTypeLike) -> Iterator[NDArray[Any]]:
    """Blocks of words behind a header."""
    with path.open("rb") as file:
        file.seek(start)
        while len(block := np.fromfile(file, dtype, PACKET)):
            yield block
