"""Work shared out to a Ray cluster: one machine's cores, or many machines."""

from __future__ import annotations

from spikeport.cluster.connection import connected
from spikeport.cluster.sharing import by_ray, shared_out
from spikeport.cluster.tasks import in_tasks

__all__ = ["by_ray", "connected", "in_tasks", "shared_out"]
