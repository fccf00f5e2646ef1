"""Grids of settings: many runs, one table."""

from __future__ import annotations

from spikeport.sweep.grid import Grid, load_grid, parse_grid
from spikeport.sweep.run import sweep
from spikeport.sweep.table import read_rows

__all__ = ["Grid", "load_grid", "parse_grid", "read_rows", "sweep"]
