"""The README is executed: each command runs, and what it prints is what the README shows."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CONSOLE = [text for language, text in BLOCKS if language == "console"]
PYTHON = [text for language, text in BLOCKS if language == "python"]
NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[-+]?\d+)?")
TIME = re.compile(r"[\d.]+ s\b")
TOLERANCE = 0.05
"""Relative. Other processors round float32 sums in another order, and spikes flip."""

# Run by the tests of training, not here: it takes minutes.
LONG = {"spikeport train digits"}
# This very run.
MAKE_TEST = "make test"


def commands(block: str) -> list[tuple[str, str]]:
    """(command, what it prints) pairs of a console block."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


SESSIONS = [commands(block) for block in CONSOLE]
EXAMPLES = [pair for session in SESSIONS for pair in session]


def without_network() -> list[str]:
    """A prefix that takes the network from a command, where this user may do so."""
    prefix = ["unshare", "--map-root-user", "--net"]
    if shutil.which(prefix[0]) and not subprocess.run([*prefix, "true"], check=False).returncode:
        return prefix
    return []


def run(command: str, folder: Path) -> str:
    """Run a `spikeport`, `python` or `make demo` command of the README in `folder`, offline."""
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


def words_and_numbers(text: str) -> tuple[str, list[float]]:
    """The text without numbers, times and layout, and the numbers."""
    text = TIME.sub("TIME", text)
    numbers = [float(found.replace(",", "").rstrip(".")) for found in NUMBER.findall(text)]
    return " ".join(NUMBER.sub("#", text).split()), numbers


def same(shown: str, printed: str) -> None:
    shown_words, shown_numbers = words_and_numbers(shown)
    words, numbers = words_and_numbers(printed)
    assert words == shown_words
    for now, then in zip(numbers, shown_numbers, strict=True):
        # Intervals and float64 rounding differences are small numbers that vary a lot.
        assert math.isclose(now, then, rel_tol=TOLERANCE, abs_tol=0.02), (now, then)


def test_the_first_two_commands_are_all_that_a_newcomer_needs() -> None:
    assert [command for command, _ in EXAMPLES[:2]] == ["make demo", MAKE_TEST]
    makefile = (ROOT / "Makefile").read_text()
    assert "$(RUN) spikeport demo" in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    same(dict(EXAMPLES)["make demo"], run("make demo", tmp_path))


@pytest.mark.parametrize(
    "session",
    [session for session in SESSIONS if session[0][0] not in {*LONG, "make demo", MAKE_TEST}],
    ids=lambda session: session[0][0],
)
def test_commands_print_what_the_readme_shows(
    session: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The commands of one block run one after the other in one folder."""
    (tmp_path / "mynet.py").write_text(PYTHON[0])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command, shown in session:
        printed = run(command, tmp_path)
        if shown.strip():
            same(shown, printed)


@pytest.mark.parametrize("code", PYTHON[1:])
def test_python_in_the_readme_runs(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
