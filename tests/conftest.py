"""Settings that every test shares."""

import os
from pathlib import Path

import pytest

# Simulated data are kept in the checkout: never in the user's own cache, and computed once for all
# workers (the first one builds, the others wait).
os.environ["SPIKEPORT_CACHE"] = str(Path(__file__).parents[1] / ".cache")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference",
        metavar="DIR",
        help="folder of manifests and golden results to check (default: tests/golden)",
    )
    parser.addoption(
        "--gallery",
        metavar="DIR",
        help="folder for the screenshots of the report page (default: a temporary one)",
    )
