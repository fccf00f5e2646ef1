"""A tally that counts in other processes."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import Tensor

from spikeport.convert import Graph, Interpreter
from spikeport.core.errors import UsageError
from spikeport.estimate import Tally
from spikeport.estimate.tally import RULES
from spikeport.estimate.tally.counter import Counter


def test_counts_are_the_same_there_and_none_are_sent(small_net: Graph, frames: Tensor) -> None:
    executor, here = Interpreter(small_net, torch.float64), Tally(small_net)
    here.run(executor, frames)
    there = pickle.loads(pickle.dumps(Counter(here)))
    assert there.tally is there.tally and there.tally.samples == 0
    _, counted = there.tally.count(executor, frames)
    both = Tally(small_net)
    both.add(counted)
    assert (both.state()["per_step"] == here.state()["per_step"]).all()


def test_a_process_that_lacks_a_rule_is_refused(
    small_net: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = pickle.loads(pickle.dumps(Counter(Tally(small_net))))
    monkeypatch.setattr(RULES, "find", lambda _: None)
    with pytest.raises(UsageError, match="counting rule is registered in only one") as failure:
        _ = there.tally
    assert failure.value.fix == "Register the rule in a module that workers can import."
