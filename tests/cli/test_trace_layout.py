"""`spikeport trace` on models whose layout or number of steps must be told."""

from pathlib import Path

from spikeport.convert import Graph

_MODEL = """
from spikingjelly.activation_based import layer, neuron
from torch import nn


def one_step():
    return nn.Sequential(layer.Conv2d(2, 4, 3), neuron.IFNode(v_threshold=0.1))
"""


def test_steps_of_a_model_of_one_time_step(cli) -> None:
    Path("layout_nets.py").write_text(_MODEL)
    done = cli("trace", "layout_nets:one_step", "--input", "2,2,6,6", "-o", "g.spg")
    assert done.code == 2
    assert "--steps" in done.err
    done = cli("trace", "layout_nets:one_step", "--input", "2,2,6,6", "--steps", 3, "-o", "g.spg")
    assert done.code == 0, done.err
    assert Graph.load("g.spg").metadata["time_axis"] is None


def test_layout_of_a_model_of_one_time_step(cli) -> None:
    Path("layout_nets.py").write_text(_MODEL)
    done = cli("trace", "layout_nets:one_step", "--input", "3,2,2,6,6", "-o", "g.spg")
    assert done.code == 2
    assert "can be read as TBCHW or BTCHW" in " ".join(done.err.split())
    assert "--layout" in done.err
    shape = ("--input", "3,2,2,6,6", "--layout", "BTCHW")
    done = cli("trace", "layout_nets:one_step", *shape, "-o", "g.spg")
    assert done.code == 0, done.err
    assert Graph.load("g.spg").metadata["time_axis"] == 1


def test_a_layout_that_does_not_exist(cli) -> None:
    Path("layout_nets.py").write_text(_MODEL)
    done = cli(
        "trace", "layout_nets:one_step", "--input", "3,2,2,6,6", "--layout", "TCB", "-o", "g.spg"
    )
    assert done.code == 2
    assert "TBCHW" in done.err
