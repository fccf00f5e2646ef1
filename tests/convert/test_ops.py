"""Shapes and values of the ops against PyTorch, and the rules that prove domains."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.convert import ops
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UnsupportedError, UsageError

SPIKE, GRADED, SCALED, REAL = Domain.SPIKE, Domain.GRADED, Domain.SCALED, Domain.REAL


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_conv_has_the_shape_and_values_of_torch(data: st.DataObject) -> None:
    axes = data.draw(st.sampled_from([1, 2]))
    groups = data.draw(st.sampled_from([1, 2]))

    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.integers(low, high)) for _ in range(axes))

    kernel, stride, padding, dilation = (
        per_axis(1, 4),
        per_axis(1, 3),
        per_axis(0, 3),
        per_axis(1, 2),
    )
    space = per_axis(1, 8)
    conv = ops.Conv(torch.rand(4, 2, *kernel), torch.rand(4), stride, padding, dilation, groups)
    x = torch.rand(3, 2 * groups, *space)
    try:
        shape = conv.infer_shape(tuple(x.shape[1:]))
    except ValueError:
        with pytest.raises(RuntimeError):
            conv.apply(x)
        return
    assert conv.apply(x).shape == (3, *shape)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(0, 1), st.integers(3, 9), st.integers(3, 9)
)
def test_pools_have_the_shape_of_torch(k: int, s: int, pad: int, h: int, w: int) -> None:
    pad = min(pad, k // 2)
    x = torch.rand(2, 3, h, w)
    pooled = ops.MaxPool((k, k), (s, s), (pad, pad))
    averaged = ops.AvgPool((k, k), (s, s), (pad, pad), count_padding=False)
    for op in (pooled, averaged):
        assert op.apply(x).shape == (2, *op.infer_shape((3, h, w)))
    lines = (ops.MaxPool((k,), (s,), (pad,)), ops.AvgPool((k,), (s,), (pad,), True))
    for op in lines:
        assert op.apply(x[..., 0]).shape == (2, *op.infer_shape((3, h)))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_adaptive_pooling_averages_the_windows_that_it_says(
    h: int, w: int, rows: int, columns: int
) -> None:
    op, x = ops.AdaptiveAvgPool((h, w), (rows, columns)), torch.rand(2, 3, h, w).double()
    result = op.apply(x)
    assert result.shape == (2, *op.infer_shape((3, h, w)))
    for r, row in enumerate(op.windows()[0]):
        for c, column in enumerate(op.windows()[1]):
            window = x[:, :, row.start : row.stop, column.start : column.stop]
            assert torch.allclose(result[:, :, r, c], window.mean((2, 3)), atol=1e-12)
    line = ops.AdaptiveAvgPool((w,), (columns,))
    assert line.apply(x[:, :, 0]).shape == (2, *line.infer_shape((3, w)))


@given(st.integers(0, 2), st.integers(0, 4), st.integers(1, 5), st.integers(1, 3))
def test_a_slice_is_a_slice(axis: int, start: int, length: int, step: int) -> None:
    x = torch.rand(2, 5, 6, 7)
    op = ops.Slice(axis, start, start + length, step)
    if start + length > x.shape[1 + axis]:
        with pytest.raises(ValueError, match="has no"):
            op.infer_shape((5, 6, 7))
        return
    index = torch.arange(start, start + length, step)
    assert torch.equal(op.apply(x), x.index_select(1 + axis, index))
    assert op.apply(x).shape == (2, *op.infer_shape((5, 6, 7)))


def test_values_side_by_side() -> None:
    a, b = torch.rand(2, 3, 4), torch.rand(2, 3, 6)
    op = ops.Concat(1)
    assert torch.equal(op.apply(a, b, a), torch.cat([a, b, a], 2))
    assert op.infer_shape((3, 4), (3, 6), (3, 4)) == (3, 14)
    with pytest.raises(ValueError, match="differ in more than axis 1"):
        op.infer_shape((3, 4), (2, 6))


def test_copies_and_margins() -> None:
    x = torch.rand(2, 3, 4)
    tile, pad = ops.Tile((2, 3)), ops.ZeroPad((1, 0), (2, 5))
    assert torch.equal(tile.apply(x), x.repeat(1, 2, 3))
    assert tile.infer_shape((3, 4)) == (6, 12)
    padded = pad.apply(x)
    assert padded.shape == (2, *pad.infer_shape((3, 4))) == (2, 6, 9)
    assert torch.equal(padded[:, 1:4, :4], x) and padded.count_nonzero() == x.count_nonzero()


def test_differences_are_torchs() -> None:
    a, b = torch.rand(2, 3), torch.rand(2, 3)
    assert torch.equal(ops.Subtract().apply(a, b), a - b)
    assert torch.equal(ops.Complement().apply(a), 1.0 - a)
    assert torch.equal(ops.MultiplyConstant(b[0]).apply(a), a * b[0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: ops.Slice(0, 2, 2),
        lambda: ops.Slice(0, 0, 4, 0),
        lambda: ops.Tile((0,)),
        lambda: ops.ZeroPad((-1,), (0,)),
        lambda: ops.AdaptiveAvgPool((4, 4), (2,)),
        lambda: ops.AdaptiveAvgPool((4,), (0,)),
        lambda: ops.ChannelNeuron(torch.zeros(3), None, True, torch.ones(3), 0.0),
        lambda: ops.ChannelNeuron(torch.ones(3), torch.ones(3), True, torch.ones(3), 0.0),
    ],
)
def test_fields_that_make_no_op_are_refused(make) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        make()


def test_batch_norm_is_torchs_and_its_affine_form_says_the_same() -> None:
    mean, var, gain, offset = torch.rand(4, 3).unbind(0)
    norm = ops.BatchNorm(mean, var + 0.1, gain, offset, eps=1e-3)
    x = torch.rand(5, 3, 4, 4)
    assert torch.equal(norm.apply(x), F.batch_norm(x, mean, var + 0.1, gain, offset, eps=1e-3))
    scale, shift = norm.affine()
    affine = x.double() * scale.reshape(3, 1, 1) + shift.reshape(3, 1, 1)
    assert torch.allclose(affine, norm.apply(x).double(), atol=1e-6)


@pytest.mark.parametrize(
    ("op", "inputs", "result"),
    [
        (ops.Add(), (SPIKE, SPIKE), GRADED),
        (ops.Add(), (GRADED, SPIKE), GRADED),
        (ops.Add(), (SPIKE, REAL), REAL),
        (ops.Add(), (SCALED, SCALED), REAL),  # the two constants may differ
        (ops.Multiply(), (SPIKE, SPIKE), SPIKE),
        (ops.Multiply(), (SPIKE, GRADED), GRADED),
        (ops.Multiply(), (SCALED, SPIKE), SCALED),
        (ops.Multiply(), (REAL, SPIKE), REAL),
        (ops.MatMul(), (SPIKE, SPIKE), GRADED),
        (ops.MatMul(), (SCALED, GRADED), SCALED),
        (ops.MatMul(), (REAL, SPIKE), REAL),
        (ops.Scale(0.125), (SPIKE,), SCALED),
        (ops.Scale(1.0), (SPIKE,), SPIKE),
        (ops.Scale(2.0), (REAL,), REAL),
        (ops.MaxPool((2, 2), (2, 2), (0, 0)), (SPIKE,), SPIKE),
        (ops.AvgPool((2, 2), (2, 2), (0, 0), True), (SPIKE,), SCALED),
        (ops.AvgPool((3, 3), (1, 1), (1, 1), False), (SPIKE,), REAL),  # divisors 4, 6 and 9
        (ops.AvgPool((3, 3), (1, 1), (1, 1), True), (GRADED,), SCALED),
        (ops.Mean((0,)), (SPIKE,), SCALED),
        (ops.Sum((0,)), (SPIKE,), GRADED),
        (ops.Sum((0,)), (SCALED,), SCALED),
        (ops.MeanTime(), (SPIKE,), SCALED),
        (ops.Reshape((4,)), (SPIKE,), SPIKE),
        (ops.Permute((0,)), (GRADED,), GRADED),
        (ops.RepeatTime(4), (REAL,), REAL),
        (ops.IF(1.0, 0.0), (REAL,), SPIKE),
        (ops.Linear(torch.rand(2, 2), None), (SPIKE,), REAL),
        (ops.AddConstant(torch.ones(1)), (SPIKE,), REAL),
        (ops.MultiplyConstant(torch.ones(1)), (SPIKE,), REAL),
        (ops.AddPerStep(torch.ones(3, 1)), (SPIKE,), REAL),
        (ops.Subtract(), (SPIKE, SPIKE), GRADED),
        (ops.Subtract(), (SCALED, SPIKE), REAL),
        (ops.Complement(), (SPIKE,), SPIKE),
        (ops.Complement(), (GRADED,), GRADED),
        (ops.Complement(), (SCALED,), REAL),
        (ops.SumTime(), (SPIKE,), GRADED),
        (ops.SumTime(), (SCALED,), SCALED),
        (ops.Slice(0, 0, 1), (SCALED,), SCALED),
        (ops.Tile((2,)), (SPIKE,), SPIKE),
        (ops.ZeroPad((1,), (0,)), (GRADED,), GRADED),
        (ops.Concat(0), (SPIKE, SPIKE), SPIKE),
        (ops.Concat(0), (SPIKE, GRADED), GRADED),
        (ops.Concat(0), (SCALED, SCALED), REAL),  # the two constants may differ
        (ops.AdaptiveAvgPool((4,), (2,)), (SPIKE,), SCALED),
        (ops.AdaptiveAvgPool((5,), (2,)), (SPIKE,), SCALED),  # two windows of three
        (ops.AdaptiveAvgPool((7,), (3,)), (SPIKE,), SCALED),
        (ops.AdaptiveAvgPool((5, 7), (3, 5)), (SPIKE,), REAL),  # windows of 2 and of 3
        (ops.AdaptiveAvgPool((1, 2), (7, 4)), (SPIKE,), SPIKE),  # copies
        (ops.Delay("x", (3,), SPIKE), (), SPIKE),
    ],
)
def test_domains_are_proven_from_provenance(
    op: ops.Op, inputs: tuple[Domain, ...], result: Domain
) -> None:
    assert op.infer_domain(*inputs) is result


def test_a_blank_real_frame_stays_real() -> None:
    """Zeros do not make an image a spike train: the domain is declared, not measured."""
    graph = Graph(outputs=("y",))
    graph.add("x", ops.Input((1, 4, 4), REAL, True))
    assert graph.add("y", ops.MaxPool((2, 2), (2, 2), (0, 0)), ["x"]).domain is REAL


def test_values_with_and_without_time_meet() -> None:
    graph = Graph(outputs=("sum",))
    graph.add("x", ops.Input((3,), REAL, False))
    graph.add("steps", ops.RepeatTime(4), ["x"])
    graph.add("spikes", ops.IF(1.0, 0.0), ["steps"])
    graph.add("sum", ops.Add(), ["spikes", "x"])
    x = torch.tensor([[0.25, 0.5, 2.0]])
    result = Interpreter(graph).run(x)
    assert result.shape == (4, 1, 3)
    assert torch.equal(
        result - x, torch.tensor([[0, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1.0]])[:, None]
    )


def test_shapes_that_do_not_fit_are_refused_where_they_meet() -> None:
    graph = Graph()
    graph.add("x", ops.Input((3, 8, 8), REAL, True))
    conv = ops.Conv(torch.rand(4, 2, 3, 3), None, (1, 1), (1, 1), (1, 1))
    with pytest.raises(UnsupportedError, match=r"stem: conv cannot read \[3, 8, 8\]"):
        graph.add("c", conv, ["x"], path="stem")


def test_a_node_keeps_its_name_and_number_of_inputs() -> None:
    graph = Graph()
    graph.add("x", ops.Input((3,), REAL, True))
    with pytest.raises(ValueError, match="has a node 'x' already"):
        graph.add("x", ops.Scale(2.0), ["x"])
    with pytest.raises(ValueError, match="takes 2 inputs, not 1"):
        graph.add("y", ops.Add(), ["x"])


def test_input_of_another_shape_is_refused() -> None:
    graph = Graph(outputs=("x",))
    graph.add("x", ops.Input((2, 8, 8), REAL, True))
    with pytest.raises(UsageError, match=r"takes input \[T, B, 2, 8, 8\], not \[4, 1, 2, 9, 8\]"):
        Interpreter(graph).run(torch.zeros(4, 1, 2, 9, 8))
    with pytest.raises(UsageError, match="takes input"):
        Interpreter(graph).run(torch.zeros(1, 2, 8, 8))


# -- whole numbers --------------------------------------------------------------------------------


def counting_net(*more: ops.Op) -> Graph:
    weight = torch.randint(-3, 4, (4, 2, 3, 3)).float()
    graph = Graph(outputs=("y",))
    graph.add("x", ops.Input((2, 6, 6), GRADED, True))
    graph.add("conv", ops.Conv(weight, torch.ones(4), (1, 1), (1, 1), (1, 1)), ["x"])
    graph.add("pool", ops.MaxPool((2, 2), (2, 2), (0, 0)), ["conv"])
    graph.add("soft", ops.IF(3.0, None), ["pool"])
    graph.add("hard", ops.IF(2.5, 0.0), ["pool"])
    graph.add("not", ops.Complement(), ["hard"])
    graph.add("sum", ops.Subtract(), ["soft", "not"])
    graph.add("double", ops.Scale(-2.0), ["sum"])
    last = "double"
    for index, op in enumerate(more):
        last = graph.add(f"more{index}", op, [last], path=f"net.more{index}").name
    graph.add("y", ops.SumTime(), [last])
    return graph


def test_integers_run_graphs_of_whole_numbers() -> None:
    graph, x = counting_net(), torch.poisson(torch.full((4, 3, 2, 6, 6), 1.0))
    seen: dict[str, torch.Tensor] = {}
    result = Interpreter(graph, torch.int64).run(
        x, lambda node, value: seen.__setitem__(node.name, value.clone())
    )
    assert all(value.dtype is torch.int64 for value in seen.values())
    assert torch.equal(result.double(), Interpreter(graph, torch.float64).run(x))
    assert seen["soft"].sum() > 0 and 0 < seen["hard"].sum() < seen["hard"].numel()


@pytest.mark.parametrize(
    "op",
    [
        ops.Scale(0.5),
        ops.Scale(1.0, 2.0),
        ops.Mean((0,), keep=True),
        ops.LIF(2.0, True, 1.0, 0.0),
        ops.ParametricLIF(torch.zeros(()), True, 1.0, 0.0),
        ops.IF(1.5, None),
        ops.IF(1.0, 0.5),
        ops.AvgPool((1, 1), (1, 1), (0, 0), True),
        ops.AddConstant(torch.full((1,), 0.5)),
        ops.BatchNorm(torch.zeros(4), torch.ones(4), None, None, 0.0),
        ops.ChannelNeuron(None, None, True, torch.ones(4, 1, 1), None),
        ops.AdaptiveAvgPool((3, 3), (3, 3)),
    ],
)
def test_integers_refuse_what_leaves_the_whole_numbers(op: ops.Op) -> None:
    with pytest.raises(UnsupportedError, match=f"net.more0: this {op.kind} does not keep"):
        Interpreter(counting_net(op), torch.int64)


def test_integers_refuse_frames_with_fractions() -> None:
    with pytest.raises(UsageError, match="the frames hold fractions"):
        Interpreter(counting_net(), torch.int64).run(torch.full((4, 3, 2, 6, 6), 0.5))
