"""The command line. `main` is what the `spikeport` command runs."""

from spikeport.cli.app import main

__all__ = ["main"]
