"""Work shared out to a Ray cluster: one machine's cores, or many machines."""

from __future__ import annotations

from spikeport.cluster.connection import connected
from spikeport.cluster.counting import counted_by_ray, shared_out
from spikeport.cluster.tasks import in_tasks

__all__ = ["connected", "counted_by_ray", "in_tasks", "shared_out"]
