"""The pages in docs/ are executed, as the README is."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import ROOT, Session, blocks, run_python, run_session, same, sessions

PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
SESSIONS = [
    pytest.param(session, id=f"{name}: {session[0][0]}")
    for name, page in PAGES.items()
    for session in sessions(page)
]
PYTHON = [
    pytest.param(code, id=f"{name} {index}")
    for name, page in PAGES.items()
    for index, code in enumerate(blocks(page, "python"))
]


@pytest.mark.parametrize("session", SESSIONS)
def test_commands_print_what_the_page_shows(session: Session, tmp_path: Path) -> None:
    run_session(session, tmp_path)


@pytest.mark.parametrize("code", PYTHON)
def test_python_in_the_page_runs(code: str, tmp_path: Path) -> None:
    assert run_python(code, tmp_path)


def test_the_comparison_can_fail() -> None:
    same("90.10 % in 12 ms", "90.11 %   in\n15,000 ms")
    for other in ("80.10 % in 12 ms", "90.10 % of 12 ms", "90.10 % in"):
        with pytest.raises(AssertionError):
            same("90.10 % in 12 ms", other)
