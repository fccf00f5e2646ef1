"""The documentation is built, is not older than what it tells, and asks nothing of the network."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOADED = re.compile(
    r"""<(?:script|img|iframe)[^>]*\ssrc="?(https?:)?//|<link[^>]*rel="?(?:stylesheet|preload|preconnect)"?[^>]*href="?(https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation") / "site"
    # In a process of its own: mkdocs changes the logging and the warnings of the one it runs in.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    # Strict: a link to a page or heading that is not there, or a name without docstring, fails.
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert {path.stem for path in site.glob("*.html")} - {"404"} == pages
    front = (site / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{page}.html"' in front or f"href={page}.html" in front for page in pages)


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        assert not LOADED.search(page.read_text(encoding="utf-8")), page.name


def test_the_interface_shows_what_the_package_exports(site: Path) -> None:
    import spikeport

    text = (site / "api.html").read_text(encoding="utf-8")
    missing = [name for name in spikeport.__all__ if f'.{name}"' not in text]
    assert not missing


def test_the_tables_of_energy_models_are_those_of_the_models() -> None:
    page = ROOT / "docs" / "energy-models.md"
    made = runpy.run_path(str(ROOT / "docs" / "energy_models.py"))
    text = page.read_text(encoding="utf-8")
    assert text[text.index(made["START"]) :] == made["tables"](), "run docs/energy_models.py"
