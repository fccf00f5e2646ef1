"""Paper modes that do not exist, and switches that do not."""

from __future__ import annotations

import pytest

from spikeport.core.errors import SpikeportError, UnknownNameError, UsageError
from spikeport.estimate.paper import paper_mode


@pytest.mark.parametrize(
    ("text", "error", "names"),
    [
        ("spikformr", UnknownNameError, "spikformer"),
        ("spikformer:stm=own", UnknownNameError, "stem"),
        ("spikformer:stem=ownn", UnknownNameError, "own"),
        ("spikformer:stem", UsageError, "no value"),
        ("max-former:stem=own", UnknownNameError, "switch of paper mode max-former"),
    ],
)
def test_refused_before_the_run(text: str, error: type[SpikeportError], names: str) -> None:
    with pytest.raises(error, match=names):
        paper_mode(text)
