"""The order of work: what is computed once, fused, shared, freed, and written over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Add, Conv, Delay, Input, RepeatTime, Stateless
from spikeport.convert.passes.merge_identical import same_op
from spikeport.convert.schedule import Group, schedule
from spikeport.targets.reference.kernels import Kernel, Place, kernel_for
from spikeport.targets.reference.loop import Loop
from spikeport.targets.reference.setting import Setting


@dataclass(frozen=True)
class Step:
    """One piece of work.

    Attributes:
        makes: the node whose value it computes (nodes, for a loop).
        reads: values by port.
        steps: T of what it makes where the graph fixes it; else that of the frames.
        spare: port whose value nothing reads any more, so that it is written over.
        beside: a node that was fused into this one, and what computes it for those who look.
        frees: values that nothing reads any more.
    """

    makes: tuple[Node, ...]
    kernel: Kernel | Loop
    reads: tuple[str, ...]
    steps: int | None
    spare: int | None = None
    beside: tuple[Node, Kernel, str] | None = None
    frees: tuple[str, ...] = ()


@dataclass
class Plan:
    """All work on a graph.

    Attributes:
        steps: in order.
        value: for each node the node whose value it shows: itself, one that computes the same, or
            what a repeat over time repeats.
        shows: the other way round.
        stepped: nodes whose value is computed for each step; those of the others are the same at
            all steps, or exist once per sample.
        fixed: T of nodes behind a repeat over time.
    """

    steps: list[Step] = field(default_factory=list)
    value: dict[str, str] = field(default_factory=dict)
    shows: dict[str, list[Node]] = field(default_factory=dict)
    stepped: set[str] = field(default_factory=set)
    fixed: dict[str, int | None] = field(default_factory=dict)


def make_plan(graph: Graph, setting: Setting) -> Plan:
    """Plan a graph, and choose an implementation for each node.

    Raises:
        UnsupportedError: a node has no implementation.
    """
    planner = _Planner(graph, setting)
    for group in schedule(graph):
        planner.visit(group)
    plan = planner.plan
    plan.steps = _fused(graph, plan)
    plan.steps = _placed(graph, plan)
    return plan


class _Planner:
    def __init__(self, graph: Graph, setting: Setting) -> None:
        self._graph, self._setting = graph, setting
        self._alike: dict[tuple[object, ...], list[Node]] = {}
        self.plan = Plan()

    def visit(self, group: Group) -> None:
        if len(group) > 1:
            self._loop(group)
            return
        (node,) = group
        plan = self.plan
        plan.fixed[node.name] = self._fixed(node)
        shown = node.inputs[0] if isinstance(node.op, RepeatTime) else self._twin(node)
        if shown is not None:
            plan.value[node.name] = plan.value[shown]
            plan.shows[plan.value[shown]].append(node)
            return
        self._own(node)
        if node.per_step and not self._is_steady(node):
            plan.stepped.add(node.name)
        if isinstance(node.op, Input):
            return
        reads = tuple(plan.value[name] for name in _sources(node))
        place = Place(
            node, node.name in plan.stepped, tuple(name in plan.stepped for name in reads)
        )
        kernel = kernel_for(place, self._setting)
        plan.steps.append(Step((node,), kernel, reads, plan.fixed[node.name]))

    def _own(self, node: Node) -> None:
        self.plan.value[node.name] = node.name
        self.plan.shows[node.name] = [node]

    def _loop(self, group: Group) -> None:
        plan, loop = self.plan, Loop(self._graph, group, self._setting)
        entry = next(name for name in loop.reads if self._graph[name].per_step)
        for node in group:
            self._own(node)
            plan.stepped.add(node.name)
            plan.fixed[node.name] = plan.fixed[entry]
        reads = tuple(plan.value[name] for name in loop.reads)
        plan.steps.append(Step(group, loop, reads, plan.fixed[entry]))

    def _is_steady(self, node: Node) -> bool:
        """The same at each step: computed once."""
        return isinstance(node.op, Stateless) and not any(
            self.plan.value[name] in self.plan.stepped for name in node.inputs
        )

    def _fixed(self, node: Node) -> int | None:
        if isinstance(node.op, RepeatTime):
            return node.op.steps
        sources = (name for name in _sources(node) if self._graph[name].per_step)
        return next((self.plan.fixed[name] for name in sources), None)

    def _twin(self, node: Node) -> str | None:
        """A node that computes the same from the same: neurons too, as all start from rest."""
        if isinstance(node.op, Input | Delay):
            return None
        reads = tuple(self.plan.value[name] for name in node.inputs)
        alike = self._alike.setdefault((node.op.kind, node.per_step, reads), [])
        for other in alike:
            same = self.plan.fixed[other.name] == self.plan.fixed[node.name]
            if same and same_op(other.op, node.op):
                return other.name
        alike.append(node)
        return None


def _sources(node: Node) -> tuple[str, ...]:
    shown = node.op.feedback
    return node.inputs if shown is None else (shown,)


def _fused(graph: Graph, plan: Plan) -> list[Step]:
    """Sums with a convolution become part of it."""
    readers: dict[str, int] = {}
    for step in plan.steps:
        for name in step.reads:
            readers[name] = readers.get(name, 0) + 1
    kept = {plan.value[name] for name in graph.outputs}
    makers = {step.makes[0].name: step for step in plan.steps if len(step.makes) == 1}
    order = {id(step): index for index, step in enumerate(plan.steps)}
    gone: set[int] = set()
    steps = []
    for step in plan.steps:
        layers = [
            (port, makers[name])
            for port, name in enumerate(step.reads)
            if type(step.makes[0].op) is Add
            and name in makers
            and isinstance(makers[name].makes[0].op, Conv)
            and getattr(makers[name].kernel, "adds", False)
            and makers[name].beside is None
            and readers[name] == 1
            and name not in kept
        ]
        same = len({(graph[name].shape, name in plan.stepped) for name in step.reads}) == 1
        if not layers or not same:
            steps.append(step)
            continue
        # The later one: the other's result is there by then.
        port, conv = max(layers, key=lambda layer: order[id(layer[1])])
        gone.add(id(conv))
        assert not isinstance(conv.kernel, Loop)
        beside = (conv.makes[0], conv.kernel, conv.reads[0])
        reads = (conv.reads[0], step.reads[1 - port])
        steps.append(replace(step, kernel=conv.kernel, reads=reads, beside=beside))
    return [step for step in steps if id(step) not in gone]


def _placed(graph: Graph, plan: Plan) -> list[Step]:
    """When each value is freed, and which may be written over."""
    kept = {plan.value[name] for name in graph.outputs}
    last = {name: index for index, step in enumerate(plan.steps) for name in step.reads}
    memory = _memory(graph, plan)
    users: dict[str, set[str]] = {}
    for name, roots in memory.items():
        for root in roots:
            users.setdefault(root, set()).add(name)
    inputs = {node.name for node in graph.inputs}

    def is_spare(step: Step, index: int, port: int) -> bool:
        name, made = step.reads[port], step.makes[0].name
        roots = memory[name]
        sharing = set[str]().union(*(users[root] for root in roots))
        others = [memory[other] for p, other in enumerate(step.reads) if p != port]
        return (
            not roots & inputs
            and not sharing & kept
            and all(last.get(user, -1) <= index for user in sharing if user != made)
            and not any(roots & other for other in others)
            and (name in plan.stepped) == (made in plan.stepped)
        )

    steps = []
    for index, step in enumerate(plan.steps):
        made = {node.name for node in step.makes}
        unread = {name for name in made if name not in last}
        done = {name for name in step.reads if last[name] == index} | unread
        ports = () if isinstance(step.kernel, Loop) else step.kernel.overwrites
        able = (port for port in ports if port < len(step.reads))
        spare = next((port for port in able if is_spare(step, index, port)), None)
        steps.append(replace(step, spare=spare, frees=tuple(sorted(done - kept))))
    return steps


def _memory(graph: Graph, plan: Plan) -> dict[str, frozenset[str]]:
    """For each value, the values whose memory it may share."""
    memory = {node.name: frozenset([node.name]) for node in graph.inputs}
    for step in plan.steps:
        shared: Iterable[frozenset[str]] = (memory[name] for name in step.reads)
        loop = isinstance(step.kernel, Loop)
        for node in step.makes:
            own = frozenset([node.name])
            fresh = loop or step.kernel.fresh  # type: ignore[union-attr]
            memory[node.name] = own if fresh else own.union(*shared)
    return memory
