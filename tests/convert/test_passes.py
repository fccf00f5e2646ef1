import pytest
import torch

from spikeport.convert import ops
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.passes import PASSES, cancel_views, fold_batch_norm
from spikeport.core.errors import UnknownNameError


def norm(channels: int) -> ops.BatchNorm:
    values = torch.rand(4, channels, generator=torch.Generator().manual_seed(3)).unbind(0)
    return ops.BatchNorm(values[0], values[1] + 0.1, values[2], values[3], 1e-5)


def conv(bias: bool, groups: int = 1) -> ops.Conv:
    return ops.Conv(
        torch.rand(4, 4 // groups, 3, 3),
        torch.rand(4) if bias else None,
        (1, 1),
        (1, 1),
        (1, 1),
        groups,
    )


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
    assert set(PASSES) == {"cancel-views", "fold-batch-norm"}
    with pytest.raises(UnknownNameError, match="fold-batch-norm"):
        PASSES["fold-batchnorm"]
