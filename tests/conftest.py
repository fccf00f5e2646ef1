"""Settings that every test shares."""

import os
import signal
from pathlib import Path

import pytest

# Simulated data are kept in the checkout: never in the user's own cache, and computed once for all
# workers (the first one builds, the others wait).
os.environ["SPIKEPORT_CACHE"] = str(Path(__file__).parents[1] / ".cache")


# Programs started in the background of a shell script ignore Ctrl-C, and so do their children; the
# tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
