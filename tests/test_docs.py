"""The pages in docs/ are executed, as the README is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console import ROOT, Session, blocks, run_python, run_session, same, sessions

PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
FILE = re.compile(r"^# (\w+\.(?:py|toml))\n")
"""How a block starts that a reader is to save."""


def page_sessions(page: str) -> list[Session]:
    """One session per console block; one for the whole page where it has the reader write files."""
    found = sessions(page)
    return [[pair for session in found for pair in session]] if files(page) and found else found


def files(page: str) -> dict[str, str]:
    """Blocks that are files, by name."""
    return {
        match[1]: code
        for language in ("python", "toml")
        for code in blocks(page, language)
        if (match := FILE.match(code)) is not None
    }


SESSIONS = [
    pytest.param(session, files(page), id=f"{name}: {session[0][0]}")
    for name, page in PAGES.items()
    for session in page_sessions(page)
]
PYTHON = [
    pytest.param(code, id=f"{name} {index}")
    for name, page in PAGES.items()
    for index, code in enumerate(blocks(page, "python"))
    if not FILE.match(code)
]


@pytest.mark.parametrize(("session", "written"), SESSIONS)
def test_commands_print_what_the_page_shows(
    session: Session, written: dict[str, str], tmp_path: Path
) -> None:
    for name, code in written.items():
        (tmp_path / name).write_text(code)
    run_session(session, tmp_path)


@pytest.mark.parametrize("code", PYTHON)
def test_python_in_the_page_runs(code: str, tmp_path: Path) -> None:
    assert run_python(code, tmp_path)


def test_the_comparison_can_fail() -> None:
    same("90.10 % in 12 ms", "90.11 %   in\n15,000 ms")
    for other in ("80.10 % in 12 ms", "90.10 % of 12 ms", "90.10 % in"):
        with pytest.raises(AssertionError):
            same("90.10 % in 12 ms", other)
