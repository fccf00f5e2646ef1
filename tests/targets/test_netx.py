"""`.net` files: read back by netx they give the integer executor's spikes; the rest is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from chains import conv_chain, dense_chain

from spikeport.convert.check import NodeRefused
from spikeport.convert.graph import rebuilt
from spikeport.core.errors import FileError, UsageError
from spikeport.targets.lava import LavaArtefact, lower
from spikeport.targets.lava.netx import check_net, run_net, save_net, with_whole_biases


def whole(graph: Any, frames: torch.Tensor) -> LavaArtefact:
    return with_whole_biases(lower(graph, frames, weight_bits=5, extra_bits=0))


@pytest.fixture(scope="module")
def chained() -> tuple[LavaArtefact, torch.Tensor]:
    graph, frames = conv_chain()
    return whole(graph, frames), frames


def assert_played_back(artefact: LavaArtefact, frames: torch.Tensor, path: Path) -> None:
    file = save_net(artefact, path, spikes_only=True)
    want = artefact.integer(frames, spikes=True).spikes
    got = run_net(file, frames)
    assert list(got) == list(want)
    for name, spikes in want.items():
        assert 0.02 < spikes.double().mean() < 0.98, name
        assert torch.equal(got[name].reshape(spikes.shape), spikes), name


def test_convolutions_and_linear_layers_two_samples(chained: Any, tmp_path: Path) -> None:
    artefact, frames = chained
    assert frames.shape[1] == 2
    assert_played_back(artefact, frames, tmp_path / "chain.net")


def test_linear_layers_alone(tmp_path: Path) -> None:
    graph, frames = dense_chain()
    assert_played_back(whole(graph, frames), frames, tmp_path / "dense.net")


def test_with_a_wrong_reset_it_differs(chained: Any, tmp_path: Path) -> None:
    artefact, frames = chained
    file = save_net(artefact, tmp_path / "chain.net", spikes_only=True)

    class Late(type(file)):  # type: ignore[misc]
        def arguments(self, time_steps: int) -> dict[str, Any]:
            return super().arguments(time_steps) | {"reset_offset": 0}

    late = Late(file.path, file.layers, file.input_message_bits)
    want = artefact.integer(frames, spikes=True).spikes
    got = run_net(late, frames)
    assert any(not torch.equal(got[name].reshape(s.shape), s) for name, s in want.items())


def test_a_file_is_replaced_whole_and_can_be_written_again(chained: Any, tmp_path: Path) -> None:
    artefact, frames = chained
    path = tmp_path / "chain.net"
    run_net(save_net(artefact, path, spikes_only=True), frames)
    save_net(artefact, path, spikes_only=True)
    assert [p.name for p in tmp_path.iterdir()] == ["chain.net"]
    (tmp_path / "folder.net").mkdir()
    with pytest.raises(FileError):
        save_net(artefact, tmp_path / "folder.net", spikes_only=True)
    with pytest.raises(UsageError, match=r"end in \.net"):
        save_net(artefact, tmp_path / "chain.h5", spikes_only=True)


def test_rounded_biases_are_in_the_report() -> None:
    graph, frames = conv_chain()
    fine = lower(graph, frames, weight_bits=5, extra_bits=0)
    rounded = with_whole_biases(fine)
    rows = list(rounded.report.figure("bias rounded to whole currents, largest"))
    assert len(rows) == 4 and all(0 < row.value < 0.1 for row in rows)
    assert not list(fine.report.figure("bias rounded to whole currents, largest"))
    with pytest.raises(NodeRefused, match=r"no whole number of currents.*with_whole_biases"):
        save_net(fine, "never.net", spikes_only=True)


def test_what_stands_behind_the_last_neuron_is_not_dropped_unasked(chained: Any) -> None:
    artefact, _ = chained
    with pytest.raises(NodeRefused, match=r"mean_time.*would not be in the file"):
        save_net(artefact, "never.net")
    assert not check_net(artefact.graph, spikes_only=True)


def test_a_max_former_is_refused_with_every_reason(max_former: Any) -> None:
    findings = check_net(max_former.artefact.graph, spikes_only=True)
    told = {finding.path: finding.why for finding in findings}
    assert "no pooling" in told["embed_pool"]
    assert "residual sum cannot be expressed" in told["stream"]
    assert "attention cannot be expressed" in told["vk"]
    assert "no layer for 'permute'" in told["k_turned"]
    assert "no pooling" in told["mean"]
    assert all(finding.fix for finding in findings)
    with pytest.raises(NodeRefused, match="more: `check` lists"):
        save_net(max_former.artefact, "never.net")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("fc_lif", {"thresholds": torch.tensor([7] * 5)}, r"fc_lif.*one per layer"),
        ("first_lif", {"bias_mant": torch.full((1, 1, 1), 40_000)}, r"first_lif.*int16"),
        ("fc", {"weight": 300}, r"fc.*netx clips"),
        ("fc", {"weight": 0}, r"fc.*all its weights are zero"),
    ],
)
def test_numbers_that_netx_would_change_are_refused(
    chained: Any, name: str, change: dict[str, Any], message: str
) -> None:
    graph = chained[0].graph
    op = graph[name].op
    if "weight" in change:
        change = {"weight": torch.full_like(op.weight, change["weight"])}
    if "thresholds" in change:
        change = {"thresholds": torch.arange(1, graph[name].shape[0] + 1)}
    other = rebuilt(graph, {name: replace(op, **change)})
    with pytest.raises(NodeRefused, match=message):
        save_net(other, "never.net", spikes_only=True)


def test_biases_that_differ_between_positions_are_refused(chained: Any) -> None:
    graph = chained[0].graph
    shape = graph["first_lif"].shape
    bias = torch.arange(torch.Size(shape).numel()).reshape(shape)
    other = rebuilt(graph, {"first_lif": replace(graph["first_lif"].op, bias_mant=bias)})
    with pytest.raises(NodeRefused, match=r"first_lif.*differs between positions"):
        save_net(other, "never.net", spikes_only=True)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("branch", r"first_lif.*layers read it"),
        ("bare", r"first.*no neuron follows"),
        ("flat_first", r"flat.*before the first layer"),
        ("reshape", r"flat.*only flattens"),
        ("large", r"first.*int8"),
        ("real", r"input.*real values become whole"),
        ("unfed", r"first_lif.*feeds it"),
    ],
)
def test_structures_that_netx_does_not_have_are_refused(variant: str, message: str) -> None:
    from chains import odd_chain

    with pytest.raises(NodeRefused, match=message):
        save_net(odd_chain(variant), "never.net", spikes_only=True)


def test_a_float_graph_is_refused(small_chain: Any) -> None:
    with pytest.raises(UsageError, match="has not been lowered"):
        save_net(small_chain.graph, "never.net")
