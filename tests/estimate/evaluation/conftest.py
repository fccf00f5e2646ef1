"""What the tests of evaluations share."""

from __future__ import annotations

import pytest
from heads import with_head

from spikeport.convert.graph import Graph


@pytest.fixture
def net(small_net: Graph) -> Graph:
    """A small network that gives each of its 3 classes to some of the 48 samples."""
    return with_head(small_net, small_net["head"].op.tensors()["weight"].roll(1, 1))
