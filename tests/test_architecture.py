"""The arrows between packages run one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "core": set(),
    "convert": {"core"},
    "train": {"core"},
    "estimate": {"convert", "core"},
    "targets": {"convert", "core"},
}


def sources(package: str) -> Iterator[Path]:
    folder = ROOT / "spikeport" / "core" if package == "core" else ROOT / package
    yield from folder.rglob("*.py")


def imported(path: Path) -> Iterator[str]:
    """Packages of Spikeport that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "spikeport":
                names = [f"spikeport.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "spikeport" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(package)
        for name in imported(path)
        if name not in allowed
    }
    assert not wrong


def test_the_command_line_stands_on_top() -> None:
    """Whoever calls the library needs none of it."""
    above = ROOT / "spikeport" / "cli"
    below = [path for path in (ROOT / "spikeport").rglob("*.py") if above not in path.parents]
    for package in ("train", "convert", "estimate", "targets"):
        below += (ROOT / package).rglob("*.py")
    assert ROOT / "spikeport" / "runs.py" in below
    wrong = [str(path.relative_to(ROOT)) for path in below if "cli" in imported(path)]
    assert not wrong


def test_the_check_sees_imports_inside_functions(tmp_path: Path) -> None:
    source = tmp_path / "m.py"
    source.write_text(
        "def f():\n    from spikeport.train import data\n    import spikeport.targets\n"
    )
    assert list(imported(source)) == ["train", "targets"]


def test_the_four_links_lead_to_the_top_level_folders() -> None:
    for package in ("train", "convert", "estimate", "targets"):
        link = ROOT / "spikeport" / package
        assert link.is_symlink()
        assert link.resolve() == ROOT / package
