"""Graphs of whole numbers under autograd: the values of the executor, gradients to train by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Op, OverTime, Stateless
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift


class _Exactly(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, smooth: Tensor, exact: Tensor) -> Tensor:
        return exact.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def exactly(smooth: Tensor, exact: Tensor) -> Tensor:
    """The value of `exact` with the gradient of `smooth`: straight-through (arXiv 1308.3432)."""
    return cast(Tensor, _Exactly.apply(smooth, exact.detach()))


def apply(op: Stateless, *sources: Tensor) -> Tensor:
    """`op.apply` on `[N, *feature]`; where it rounds, gradients pass as if it did not."""
    smooth = _smooth(op, *sources)
    if smooth is None:
        return op.apply(*sources)
    return exactly(smooth, op.apply(*(x.detach() for x in sources)))


def _smooth(op: Op, *sources: Tensor) -> Tensor | None:
    """What a rounding op rounds; None if it does not round."""
    x = sources[0]
    if isinstance(op, LavaMean):
        return x.mean(tuple(axis + 1 for axis in op.axes), keepdim=op.keep)
    if isinstance(op, LavaShift) and op.bits < 0:
        return x * 2.0**op.bits
    if isinstance(op, LavaAvgPool) and op.divide:
        return op.sums(x) / op.divisors(tuple(x.shape[1:])).to(x)
    return None


def apply_steps(op: Stateless, *sources: Tensor) -> Tensor:
    """`apply` on `[T, B, *feature]`."""
    steps, batch = sources[0].shape[:2]
    result = apply(op, *(x.flatten(0, 1) for x in sources))
    return result.reshape(steps, batch, *result.shape[1:])


def run_host(
    host: Graph, values: Tensor, op_of: Callable[[Node], Op], dtype: torch.dtype
) -> Tensor:
    """What `host.host_part` computes from `[T, B, *shape]`, with gradients.

    Args:
        op_of: the op of a node, with the parameters to use.

    Raises:
        NodeRefused: an op is neither stateless nor a mean or sum over time.
    """
    known = {host.input.name: values.to(dtype)}
    for node in host:
        if node.name in known:
            continue
        op, sources = op_of(node), [known[name] for name in node.inputs]
        stepped = [host[name].per_step for name in node.inputs]
        if isinstance(op, OverTime):
            known[node.name] = op.over(sources[0])
        elif not isinstance(op, Stateless):
            raise NodeRefused(host_refusal(node))
        elif node.per_step:
            whole = [
                x if has_time else x.unsqueeze(0).expand(len(values), *x.shape)
                for x, has_time in zip(sources, stepped, strict=True)
            ]
            known[node.name] = apply_steps(op, *whole)
        else:
            known[node.name] = apply(op, *sources)
    return known[host.outputs[0]]


def host_refusal(node: Node) -> Any:
    """Why an op behind the last neuron cannot be part of a trainable module."""
    return error(
        node,
        f"this {node.op.kind} behind the last neuron crosses time steps.",
        "Take the spikes alone, or replace it by a mean over time.",
    )


def trainable_host(host: Graph) -> None:
    """Do nothing if `run_host` can run this part.

    Raises:
        NodeRefused: it cannot.
    """
    for node in host:
        if node.inputs and not isinstance(node.op, OverTime | Stateless):
            raise NodeRefused(host_refusal(node))
