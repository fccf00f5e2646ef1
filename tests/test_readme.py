"""The README is executed: each command runs, and what it prints is what the README shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from console import ROOT, Session, blocks, run, run_python, run_session, same, sessions

README = (ROOT / "README.md").read_text()
PYTHON = blocks(README, "python")

# Run by the tests of training, not here: it takes minutes.
LONG = {"spikeport train digits"}
# This very run.
MAKE_TEST = "make test"

SESSIONS = sessions(README)
EXAMPLES = [pair for session in SESSIONS for pair in session]


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
def test_commands_print_what_the_readme_shows(session: Session, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(PYTHON[0])
    run_session(session, tmp_path)


@pytest.mark.parametrize("code", PYTHON[1:])
def test_python_in_the_readme_runs(code: str, tmp_path: Path) -> None:
    assert run_python(code, tmp_path)
