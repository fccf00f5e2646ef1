"""What is told of processes that die."""

from __future__ import annotations

import multiprocessing
import os
import struct

import pytest

from spikeport.core.errors import UsageError
from spikeport.estimate.sharing import _received


@pytest.mark.parametrize("sent", [b"", struct.pack("!i", 100), struct.pack("!i", 100) + b"half"])
def test_a_process_that_dies_while_it_sends_is_told(sent: bytes) -> None:
    """`multiprocessing` writes the length of a message before it."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    os.write(theirs.fileno(), sent)
    theirs.close()
    with ours, pytest.raises(UsageError, match="ended before its work was done") as caught:
        _received(ours)
    assert caught.value.where == "workers"
