"""The passes by name."""

from __future__ import annotations

from collections.abc import Callable

from spikeport.convert.graph import Graph
from spikeport.core.registry import Registry

Pass = Callable[[Graph], Graph]

PASSES: Registry[Pass] = Registry("pass", "spikeport.passes", lambda _, entry: callable(entry))
