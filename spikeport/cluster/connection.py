"""To a cluster that is there, or to one of this machine's cores."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from urllib.parse import urlsplit

from spikeport.core.errors import MissingPackageError, UsageError

AUTO = "auto"
OBJECT_STORE = 512 << 20
"""Bytes of shared memory for a cluster of our own: frames in flight, never a whole data set."""
ATTEMPTS = 3
PATIENCE = 10.0
"""Seconds for a cluster to take a connection. Ray itself tries for minutes where nobody listens."""


@contextmanager
def connected(address: str = AUTO, *, workers: int | None = None) -> Iterator[None]:
    """Be connected to a Ray cluster while the block runs.

    Args:
        address: of a cluster ("HOST:PORT", "ray://HOST:PORT"); "auto" takes the one that the
            variable RAY_ADDRESS names, else starts one on this machine that ends with the block.
        workers: tasks at a time on a cluster that is started here; by default one per core.

    Raises:
        MissingPackageError: Ray is not installed.
        UsageError: no cluster answers at the address.
    """
    if find_spec("ray") is None:
        raise MissingPackageError(
            "Ray is not installed.",
            where="--ray",
            fix="Install it with: pip install 'spikeport[ray]'.",
        )
    # Nothing is reported to anybody, and no package list is sent.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Else a newer Ray starts each worker by `uv run`, in an environment of its own.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    # Ray changes this in a later release and warns about it until then.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    elsewhere = os.environ.get("RAY_ADDRESS") if address == AUTO else address
    try:
        if elsewhere:
            _knock(elsewhere)
            ray.init(address=elsewhere, log_to_driver=False, logging_level=logging.ERROR)
        else:
            _start(workers)
    # Ray raises plain exceptions too.
    except Exception as error:
        raise UsageError(
            f"no Ray cluster answers ({str(error).splitlines()[0][:200]}).",
            where=f"--ray {address}",
            fix="Start one with `ray start --head`, or leave the address out for this machine.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Do nothing if somebody listens at HOST:PORT, with or without `ray://`."""
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), PATIENCE).close()


def _start(workers: int | None) -> None:
    """Ray gives its helpers 15 s to come up and takes no other time: a busy machine may need more
    than one attempt."""
    import ray

    for attempt in range(ATTEMPTS):
        try:
            ray.init(
                num_cpus=workers,
                object_store_memory=OBJECT_STORE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception:
            ray.shutdown()
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return
