"""`spikeport compare` on results of commands."""

from __future__ import annotations

from pathlib import Path

MODEL = "max_former_digits"


def test_results_of_commands_are_compared(cli, tmp_path: Path) -> None:
    few = ("--samples", "6")
    assert cli("evaluate", MODEL, *few, "-o", "evaluated").code == 0
    assert cli("estimate", MODEL, *few, "-o", "estimated").code == 0
    done = cli("compare", "evaluated", "b=evaluated", "estimated", "--curve", "-o", "compared")
    assert done.code == 0, done.err
    assert "simulated events" in " ".join(done.out.split())
    assert "Against 1, max_former_digits" in done.out
    assert "paired" in done.out
    written = {path.name for path in (tmp_path / "compared").iterdir()}
    assert written == {"compare.csv", "compare.json", "pareto.svg"}
    found = cli("compare", "evaluated", "b=evaluated", "estimated", "--json").json
    first, second, third = found["rows"]
    same = second["against_first"]
    assert same["accuracy"]["method"] == "paired"
    assert same["accuracy"]["difference"] == same["energy"]["difference"] == 0
    assert third["parameters"] == first["parameters"] > 90_000
    assert third["data_sha256"] == first["data_sha256"]
    assert third["energy_uJ"]["mean"] == first["energy_uJ"]["mean"]
    # In one folder a report of the same run is no row of its own.
    together = cli("compare", ".", "--json").json["rows"]
    assert len(together) == 1


def test_what_cannot_be_compared_is_refused(cli) -> None:
    done = cli("compare", "missing")
    assert done.code == 2
    assert "no such folder" in done.err
    done = cli("compare", ".", "--published", "nothing")
    assert done.code == 2
    assert "no published table" in " ".join(done.err.split())
