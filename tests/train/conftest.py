"""A recipe small enough to train by within a second."""

from __future__ import annotations

import pytest
from blobs import on_threads

from spikeport.train.recipe import Recipe


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    return on_threads()
