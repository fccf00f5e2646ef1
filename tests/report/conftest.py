"""Results of the trained event model on few samples, made once for all workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from report_results import Results, make


@pytest.fixture
def gallery(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Folder for screenshots."""
    chosen = request.config.getoption("--gallery")
    return Path(chosen) if chosen else tmp_path


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Results:
    """Read only: copy what a test changes."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    found = Results(shared / "report-results")
    with FileLock(shared / "report-results.lock"):
        if not (found.folder / "done").exists():
            make(found, "max_former_digits", 12)
            (found.folder / "done").touch()
    return found
