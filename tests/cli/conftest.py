"""Running commands in this process, as the shell would."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spikeport.cli import main, output


@dataclass
class Finished:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Finished]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run `spikeport ARGS` in an empty folder; returns exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)

    def run(*args: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["spikeport", *map(str, args)])
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            output.state.debug = False
            sys.path[:] = path
        printed = capsys.readouterr()
        return Finished(int(ended.value.code or 0), printed.out, printed.err)

    return run
