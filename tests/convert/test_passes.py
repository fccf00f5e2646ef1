from dataclasses import replace

import pytest
import torch
from pass_graphs import conv, norm, static_image

from spikeport.convert import ops
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.passes import (
    PASSES,
    cancel_views,
    fold_batch_norm,
    hoist_static,
    merge_identical,
    remove_dead,
    split_groups,
)
from spikeport.core.errors import UnknownNameError


def chain(*members: ops.Op, shape: tuple[int, ...] = (4, 6, 6)) -> Graph:
    graph = Graph(outputs=(f"n{len(members) - 1}",))
    graph.add("x", ops.Input(shape, Domain.REAL, True))
    for index, op in enumerate(members):
        graph.add(f"n{index}", op, [f"n{index - 1}" if index else "x"])
    return graph


def kinds(graph: Graph) -> list[str]:
    return [node.op.kind for node in graph]


def same_output(before: Graph, after: Graph) -> bool:
    x = torch.randn(3, 2, *before.input.shape, dtype=torch.float64)
    a, b = (Interpreter(graph, torch.float64).run(x) for graph in (before, after))
    return torch.allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_batch_norm_folds_into_a_convolution(bias: bool, groups: int) -> None:
    before = chain(conv(bias, groups), norm(4))
    after = fold_batch_norm(before)
    assert kinds(after) == ["input", "conv"]
    assert after["n0"].op.weight.dtype == torch.float64  # type: ignore[attr-defined]
    assert same_output(before, after)
    assert kinds(before) == ["input", "conv", "batch_norm"]  # a pass leaves its input alone


def test_batch_norm_folds_into_a_linear_layer_of_vectors() -> None:
    before = chain(ops.Linear(torch.rand(5, 7), None), norm(5), shape=(7,))
    after = fold_batch_norm(before)
    assert kinds(after) == ["input", "linear"]
    assert same_output(before, after)


def test_batch_norm_stays_where_the_convolution_is_read_by_others() -> None:
    graph = chain(conv(True), norm(4))
    graph.add("sum", ops.Add(), ["n0", "n1"])
    graph.outputs = ("sum",)
    after = fold_batch_norm(graph)
    assert kinds(after) == kinds(graph)
    assert same_output(graph, after)


def test_batch_norm_stays_behind_what_is_no_layer() -> None:
    graph = chain(ops.MaxPool((2, 2), (2, 2), (0, 0)), norm(4))
    assert kinds(fold_batch_norm(graph)) == kinds(graph)


def test_batch_norm_over_another_axis_than_the_outputs_stays() -> None:
    graph = chain(ops.Linear(torch.rand(7, 7), None), norm(3), shape=(3, 7))
    after = fold_batch_norm(graph)
    assert "batch_norm" in kinds(after)
    assert same_output(graph, after)


def test_a_batch_norm_at_the_output_folds() -> None:
    graph = chain(conv(False), norm(4))
    assert fold_batch_norm(graph).outputs == ("n0",)


def test_views_that_undo_each_other_vanish() -> None:
    before = chain(
        ops.Reshape((4, 36)), ops.Reshape((4, 6, 6)), ops.Permute((1, 2, 0)), ops.Permute((2, 0, 1))
    )
    before.add("end", ops.Scale(2.0), ["n3"])
    before.outputs = ("end",)
    after = cancel_views(before)
    assert kinds(after) == ["input", "scale"]
    assert same_output(before, after)


def test_views_that_only_follow_each_other_merge() -> None:
    before = chain(
        ops.Permute((1, 0, 2)), ops.Permute((0, 2, 1)), ops.Reshape((36, 4)), ops.Reshape((9, 16))
    )
    after = cancel_views(before)
    assert kinds(after) == ["input", "permute", "reshape"]
    assert same_output(before, after)


def test_a_view_that_others_read_stays_for_them() -> None:
    before = chain(ops.Reshape((4, 36)), ops.Reshape((144,)))
    before.add("other", ops.Reshape((2, 72)), ["n0"])
    before.add("third", ops.Scale(3.0), ["n0"])
    before.add("flat", ops.Reshape((144,)), ["third"])
    before.add("flat2", ops.Reshape((144,)), ["other"])
    before.add("s1", ops.Add(), ["flat", "n1"])
    before.add("s2", ops.Add(), ["s1", "flat2"])
    before.outputs = ("s2",)
    after = cancel_views(before)
    assert "n0" in after
    assert same_output(before, after)


def test_a_dropped_input_keeps_the_graph_callable() -> None:
    graph = chain(ops.Scale(1.0))
    assert kinds(cancel_views(graph)) == ["input", "scale"]


def test_passes_are_found_by_name() -> None:
    assert set(PASSES) == {
        "cancel-views",
        "fold-batch-norm",
        "hoist-static",
        "merge-identical",
        "remove-dead",
        "split-groups",
    }
    with pytest.raises(UnknownNameError, match="fold-batch-norm"):
        PASSES["fold-batchnorm"]


@pytest.mark.parametrize(
    "between",
    [
        (ops.Reshape((4, 6, 6)),),
        (ops.Permute((1, 0)), ops.Permute((1, 0))),
        (ops.Permute((1, 0)), ops.Reshape((6, 6, 4)), ops.Permute((2, 0, 1))),
        (ops.Reshape((4, 3, 2, 6)), ops.Reshape((4, 6, 6))),
    ],
)
def test_batch_norm_folds_through_views_that_keep_channels(between: tuple[ops.Op, ...]) -> None:
    line = ops.Conv(torch.rand(4, 3, 1), torch.rand(4), (1,), (0,), (1,))
    before = chain(line, *between, norm(4), shape=(3, 36))
    after = fold_batch_norm(before)
    assert "batch_norm" not in kinds(after)
    assert same_output(before, after)


def test_batch_norm_folds_into_a_linear_layer_over_tokens() -> None:
    """[N, C] tokens, transposed for the batch norm and back."""
    before = chain(
        ops.Linear(torch.rand(4, 7), None),
        ops.Permute((1, 0)),
        norm(4),
        ops.Permute((1, 0)),
        shape=(5, 7),
    )
    after = fold_batch_norm(before)
    assert "batch_norm" not in kinds(after)
    assert same_output(before, after)


def test_batch_norm_does_not_fold_through_views_that_tear_channels_apart() -> None:
    line = ops.Conv(torch.rand(4, 3, 1), None, (1,), (0,), (1,))
    for between, channels in (
        ((ops.Reshape((2, 72)),), 2),
        ((ops.Permute((1, 0)),), 36),
        ((ops.Reshape((8, 18)),), 8),
    ):
        before = chain(line, *between, norm(channels), shape=(3, 36))
        after = fold_batch_norm(before)
        assert "batch_norm" in kinds(after)
        assert same_output(before, after)


def test_two_batch_norms_in_a_row_both_fold() -> None:
    before = chain(conv(True), norm(4), norm(4), ops.MaxPool((2, 2), (2, 2), (0, 0)))
    after = fold_batch_norm(before)
    assert kinds(after) == ["input", "conv", "max_pool"]
    assert same_output(before, after)


def test_what_nothing_reads_is_dropped() -> None:
    graph = chain(ops.Scale(2.0), ops.Scale(3.0))
    graph.add("dead", ops.IF(1.0, 0.0), ["n0"])
    graph.add("deader", ops.Scale(2.0), ["dead"])
    graph.add("back", ops.Delay("deader", (4, 6, 6), Domain.SCALED))
    after = remove_dead(graph)
    assert [node.name for node in after] == ["x", "n0", "n1"]
    assert remove_dead(after) is after


def test_a_static_stem_is_hoisted_in_front_of_its_repeat() -> None:
    before = static_image()
    after = hoist_static(before)
    once = {node.name for node in after if not node.per_step}
    assert once == {"x", "conv", "norm", "shortcut"}
    repeats = [node for node in after if isinstance(node.op, ops.RepeatTime)]
    assert {node.inputs[0] for node in repeats} == {"norm", "shortcut"}
    assert after["conv"].path == "stem.conv"
    x = torch.randn(2, 4, 6, 6).double()
    a, b = (Interpreter(graph, torch.float64).run(x) for graph in (before, after))
    assert a.shape == b.shape
    assert torch.allclose(a, b, rtol=0, atol=1e-12)
    assert hoist_static(after) is after


def test_hoisting_keeps_a_repeat_that_is_read_as_it_is() -> None:
    graph = static_image()
    graph.add("late", ops.Delay("conv", (4, 6, 6), Domain.REAL))
    graph.add("both", ops.Add(), ["sum", "steps"])
    graph.add("all", ops.Add(), ["both", "late"])
    graph.outputs = ("all",)
    after = hoist_static(graph)
    assert after["steps"].per_step
    assert not after["conv"].per_step
    x = torch.randn(2, 4, 6, 6).double()
    a, b = (Interpreter(g, torch.float64).run(x) for g in (graph, after))
    assert torch.allclose(a, b, rtol=0, atol=1e-12)


def test_hoisting_leaves_frames_alone() -> None:
    graph = chain(conv(True), ops.IF(1.0, 0.0))
    assert hoist_static(graph) is graph


def two_branches(second: ops.Op | None = None) -> Graph:
    """As Embed_Orig: each branch starts with a neuron of its own on the same current."""
    graph, weight = Graph(outputs=("sum",)), torch.ones(4, 4, 1, 1)
    same = ops.Conv(weight, None, (1, 1), (0, 0), (1, 1))
    graph.add("x", ops.Input((4, 6, 6), Domain.REAL, True))
    graph.add("a", ops.LIF(2.0, True, 1.0, None), ["x"], path="branch.lif")
    graph.add("b", second or ops.LIF(2.0, True, 1.0, None), ["x"], path="shortcut.lif")
    graph.add("conv", same, ["a"])
    graph.add("other", replace(same, weight=torch.ones(4, 4, 1, 1)), ["b"])
    graph.add("view", ops.Reshape((4, 36)), ["other"])
    graph.add("back", ops.Reshape((4, 6, 6)), ["view"])
    graph.add("sum", ops.Add(), ["conv", "back"])
    return graph


def test_identical_neurons_on_one_current_merge_and_so_does_what_follows() -> None:
    before = two_branches()
    after = merge_identical(before)
    assert "b" not in after and "other" not in after
    assert after.metadata["merged_neurons"] == {"shortcut.lif": "branch.lif"}
    assert after["sum"].inputs == ("conv", "back")
    assert same_output(before, after)
    assert merge_identical(after) is after


@pytest.mark.parametrize(
    "second",
    [
        ops.LIF(2.0, True, 1.0, 0.0),
        ops.LIF(2.0, False, 1.0, None),
        ops.LIF(2.0, True, 0.5, None),
        ops.LIF(3.0, True, 1.0, None),
        ops.IF(1.0, None),
    ],
)
def test_neurons_that_differ_in_anything_do_not_merge(second: ops.Op) -> None:
    graph = two_branches(second)
    assert merge_identical(graph) is graph


def test_layers_with_other_weights_or_other_order_do_not_merge() -> None:
    graph = chain(ops.Scale(2.0))
    graph.add("m1", ops.Linear(torch.ones(6, 6), None), ["x"])
    graph.add("m2", ops.Linear(torch.ones(6, 6).double(), None), ["x"])
    graph.add("m3", ops.Linear(torch.full((6, 6), 2.0), None), ["x"])
    graph.add("d1", ops.Subtract(), ["m1", "m2"])
    graph.add("d2", ops.Subtract(), ["m2", "m1"])
    graph.add("s1", ops.Add(), ["d1", "d2"])
    graph.add("s2", ops.Add(), ["s1", "m3"])
    graph.outputs = ("s2",)
    assert merge_identical(graph) is graph


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [2, 4])
def test_a_grouped_convolution_is_split(groups: int, bias: bool) -> None:
    before = chain(ops.Scale(2.0), conv(bias, groups), ops.IF(1.0, 0.0))
    after = split_groups(before, depthwise=True)
    assert [node.op.groups for node in after if isinstance(node.op, ops.Conv)] == [1] * groups
    assert same_output(before, after)
    assert after["n1"].shape == before["n1"].shape
    left = split_groups(before)
    assert (left is before) == (groups == 4)  # one channel per group
    assert split_groups(after, depthwise=True) is after


def test_a_copy_renames_what_would_collide() -> None:
    before = chain(conv(True, 2))
    before.add("n0.group0", ops.Scale(1.5), ["n0"])
    before.outputs = ("n0.group0",)
    after = split_groups(before)
    assert "n0.group0_2" in after
    assert same_output(before, after)
