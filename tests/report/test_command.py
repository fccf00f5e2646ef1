"""`spikeport report`, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spikeport.cli.app import app
from spikeport.core.errors import FileError


def test_the_command_tells_what_is_on_the_page(
    results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pages" / "report.html"
    words = ["report", str(results.estimated), f"other={results.lava}", "-o", str(out)]
    app([*words, "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["networks"] == {
        "max_former_digits": ["energy report"],
        "other": ["lowered network"],
    }
    assert told["bytes"] == out.stat().st_size
    app(words, standalone_mode=False)
    printed = capsys.readouterr().out
    assert "max_former_digits  energy report" in printed
    assert "MB" in printed


def test_a_page_that_was_there_survives_a_refusal(results, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("earlier")
    with pytest.raises(FileError):
        app(["report", str(tmp_path / "nothing"), "-o", str(out)], standalone_mode=False)
    assert out.read_text() == "earlier"


def test_it_needs_no_torch() -> None:
    """A page of what others measured is there at once."""
    import subprocess
    import sys

    code = "import sys, spikeport.report; assert not {'torch', 'matplotlib'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
