"""Pages whose console blocks are run: what the commands print is what the page shows."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
TIME = re.compile(r"[\d.,]+(?:e[-+]?\d+)? (?:s|ms|samples/s|events/s|passes)(?!\w)")
TOLERANCE = 0.05
"""Relative. Other processors round float32 sums in another order, and spikes flip."""

Session = list[tuple[str, str]]
"""(command, what it prints) pairs that run one after the other in one folder."""


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a Markdown page in one language."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [text for each, text in found if each == language]


def sessions(page: str) -> list[Session]:
    """One session per console block."""
    return [_commands(block) for block in blocks(page, "console")]


def _commands(block: str) -> Session:
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def without_network() -> list[str]:
    """A prefix that takes the network from a command, where this user may do so."""
    prefix = ["unshare", "--map-root-user", "--net"]
    if shutil.which(prefix[0]) and not subprocess.run([*prefix, "true"], check=False).returncode:
        return prefix
    return []


def run(command: str, folder: Path) -> str:
    """Run a `spikeport`, `python` or `make demo` command of a page in `folder`, offline."""
    script = str(Path(sys.executable).with_name("spikeport"))
    program, *words = command.split()
    words = [script, "demo"] if command == "make demo" else [script, *words]
    if program == "python":
        words = [sys.executable, *command.split()[1:]]
    done = subprocess.run(
        [*without_network(), *words],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_session(session: Session, folder: Path) -> None:
    """Run the commands of one block in a folder, and compare what they print."""
    (folder / "examples").symlink_to(ROOT / "examples")
    for command, shown in session:
        printed = run(command, folder)
        if shown.strip():
            same(shown, printed)


def run_python(code: str, folder: Path) -> str:
    """Run a Python block; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def words_and_numbers(text: str) -> tuple[str, list[float]]:
    """The text without numbers, times and layout, and the numbers."""
    text = TIME.sub("TIME", " ".join(text.split()))
    numbers = [float(found.replace(",", "").rstrip(".")) for found in NUMBER.findall(text)]
    return NUMBER.sub("#", text), numbers


def same(shown: str, printed: str) -> None:
    shown_words, shown_numbers = words_and_numbers(shown)
    words, numbers = words_and_numbers(printed)
    assert words == shown_words
    for now, then in zip(numbers, shown_numbers, strict=True):
        # Intervals and float64 rounding differences are small numbers that vary a lot.
        assert math.isclose(now, then, rel_tol=TOLERANCE, abs_tol=0.02), (now, then)
