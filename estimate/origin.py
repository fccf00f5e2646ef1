"""Where figures come from: stands in every file that Spikeport writes about a network."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

from spikeport.convert.storage import fingerprint

if TYPE_CHECKING:
    from spikeport.convert.graph import Graph
    from spikeport.estimate.report import DataInfo, EnergyReport

_GIT_SECONDS = 5


def origin(report: EnergyReport) -> dict[str, str]:
    """Version, state of the user's git checkout if there is one, hash of the graph, data, seed."""
    tally = report.tally
    return {
        **origin_of(tally.graph, report.data, tally.samples, tally.steps),
        "energy_model": report.model.id,
        "interval": report.interval.method,
        "seed": str(report.interval.seed),
    }


def origin_of(graph: Graph, data: DataInfo, samples: int, steps: int | None) -> dict[str, str]:
    """The same for whatever was measured of a graph on samples of T steps."""
    return {
        **origin_of_code(),
        "graph_sha256": fingerprint(graph),
        "data": data.name,
        "split": data.split,
        **({"data_sha256": data.sha256} if data.sha256 else {}),
        "samples": str(samples),
        "steps": str(steps),
    }


def origin_of_code() -> dict[str, str]:
    """Version, and state of the user's git checkout if there is one."""
    git = git_state()
    return {"spikeport": version("spikeport"), **({} if git is None else {"git": git})}


def one_line(facts: dict[str, str]) -> str:
    """The same for a table's cell or a comment."""
    return "; ".join(f"{name} {value}" for name, value in facts.items())


def git_state() -> str | None:
    """Commit of the current folder, and whether files differ from it; None outside of git."""
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    if commit is None or changes is None:
        return None
    return f"{commit} with changes" if changes else commit


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            # Only looks: takes no lock beside a git command of the user's.
            ["git", "--no-optional-locks", *words],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
