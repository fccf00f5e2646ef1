"""Random spiking networks over the whole op set, for property tests.

A network is a list of block names; each block maps `[T, B, C, H, W]` to the same kind of tensor, so
that any list makes a network.
"""

from collections.abc import Callable, Collection

import torch
from hypothesis import strategies as st
from spikingjelly.activation_based import layer, neuron
from torch import Tensor, nn

from spikeport.core.neurons import EulerNode, IntegratorNode
from spikeport.core.recurrence import TimeLoop


class Block(nn.Module):
    """A forward given as a function of (block, x), with modules to use in it."""

    def __init__(self, written: Callable[["Block", Tensor], Tensor], **modules: nn.Module) -> None:
        super().__init__()
        self.written = written
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        return self.written(self, x)


def fire(kind: str, channels: int) -> nn.Module:
    """A neuron of one of the kinds, thresholds low enough to fire often."""
    if kind == "per-channel":
        node = neuron.LIFNode(step_mode="m", decay_input=False)
        node.v_threshold = torch.linspace(0.3, 0.9, channels).reshape(-1, 1, 1)
        return node
    makes = {
        "if": lambda: neuron.IFNode(v_threshold=0.7),
        "if-soft": lambda: neuron.IFNode(v_threshold=0.7, v_reset=None),
        "lif": lambda: neuron.LIFNode(v_threshold=0.4),
        "lif-soft": lambda: neuron.LIFNode(tau=1.6, v_threshold=0.4, v_reset=None),
        "lif-undecayed": lambda: neuron.LIFNode(tau=3.0, decay_input=False, v_reset=-0.2),
        "plif": lambda: neuron.ParametricLIFNode(init_tau=1.5, v_threshold=0.4),
        "plif-undecayed": lambda: neuron.ParametricLIFNode(decay_input=False, v_reset=None),
    }
    node = makes[kind]()
    node.step_mode = "m"
    return node


NEURONS = (
    *("if", "if-soft", "lif", "lif-soft", "lif-undecayed", "plif", "plif-undecayed"),
    "per-channel",
)


class Feedback(TimeLoop):
    """Spikes of the last step through a layer with batch norm."""

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        self.neuron = fire(kind, channels)
        self.conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes = self.neuron(current + feedback)
        return spikes, self.norm(self.conv(spikes))


def _conv(channels: int, groups: int = 1, kernel: int = 3, bias: bool = True) -> nn.Module:
    return layer.SeqToANNContainer(
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=groups, bias=bias),
        nn.BatchNorm2d(channels),
    )


def _attention(s: Block, x: Tensor) -> Tensor:
    steps, batch, channels, height, width = x.shape
    q, k, v = s.lif(s.conv(x)).flatten(3).repeat(1, 1, 3, 1).chunk(3, dim=2)
    scores = q.transpose(-1, -2) @ k
    mixed = (scores @ v.transpose(-1, -2)) * 0.125
    return s.out(mixed.transpose(-1, -2).reshape(steps, batch, channels, height, width))


def _tokens(s: Block, x: Tensor) -> Tensor:
    """A linear layer over tokens, batch norm over its channels."""
    steps, batch, channels, height, width = x.shape
    y = s.fc(x.flatten(3).transpose(-1, -2)).transpose(-1, -2)
    y = s.norm(y.flatten(0, 1)).reshape(steps, batch, channels, height, width)
    return s.lif(y)


BLOCKS: dict[str, Callable[[str, int], nn.Module]] = {
    "layer": lambda n, c: Block(lambda s, x: s.lif(s.conv(x)), conv=_conv(c), lif=fire(n, c)),
    "grouped": lambda n, c: Block(
        lambda s, x: s.lif(s.conv(x)), conv=_conv(c, groups=2), lif=fire(n, c)
    ),
    "depthwise": lambda n, c: Block(
        lambda s, x: s.lif(x + s.conv(x)), conv=_conv(c, groups=c, bias=False), lif=fire(n, c)
    ),
    "residual": lambda n, c: Block(
        lambda s, x: x + s.conv(s.lif(x)), conv=_conv(c, kernel=1), lif=fire(n, c)
    ),
    "iand": lambda n, c: Block(
        lambda s, x: s.a(x) * (1.0 - s.b(s.conv(x))), conv=_conv(c), a=fire(n, c), b=fire(n, c)
    ),
    "twins": lambda n, c: Block(
        lambda s, x: s.left(s.a(x)) + s.right(s.b(x)),
        left=_conv(c),
        right=_conv(c, kernel=1),
        a=fire(n, c),
        b=fire(n, c),
    ),
    "difference": lambda n, c: Block(
        lambda s, x: s.lif(x) - s.conv(x) * 0.5 + 0.1, conv=_conv(c), lif=fire(n, c)
    ),
    "pooled": lambda n, c: Block(
        lambda s, x: s.lif(s.pool(s.conv(x))),
        conv=_conv(c),
        pool=layer.MaxPool2d(3, 1, 1, step_mode="m"),
        lif=fire(n, c),
    ),
    "averaged": lambda n, c: Block(
        lambda s, x: s.conv(s.pool(s.lif(x))),
        conv=_conv(c),
        pool=layer.AvgPool2d(3, 1, 1, step_mode="m"),
        lif=fire(n, c),
    ),
    "resized": lambda n, c: Block(
        lambda s, x: s.up(s.down(s.lif(x))),
        down=layer.AdaptiveAvgPool2d((3, 2), step_mode="m"),
        up=layer.AdaptiveAvgPool2d((4, 4), step_mode="m"),
        lif=fire(n, c),
    ),
    "mask": lambda n, c: Block(
        lambda s, x: s.lif(x) * s.gate(x.sum((3, 4), keepdim=True) / 8),
        lif=fire(n, c),
        gate=fire("if", c),
    ),
    "halves": lambda n, c: Block(
        lambda s, x: torch.cat([s.lif(x[:, :, : c // 2]), x[:, :, c // 2 :] * 0.5], dim=2),
        lif=fire("lif" if n == "per-channel" else n, c // 2),
    ),
    "padded": lambda n, c: Block(
        lambda s, x: nn.functional.pad(s.lif(x), (1, 0, 0, 1))[..., 1:, :-1], lif=fire(n, c)
    ),
    "attention": lambda n, c: Block(_attention, conv=_conv(c), lif=fire(n, c), out=fire(n, c)),
    "tokens": lambda n, c: Block(
        _tokens, fc=nn.Linear(c, c), norm=nn.BatchNorm1d(c), lif=fire(n, c)
    ),
    "feedback": lambda n, c: Feedback(n, c),
    "dead": lambda n, c: Block(
        lambda s, x: (s.conv(s.unread(x)), s.lif(x))[1],
        conv=_conv(c),
        unread=fire("lif", c),
        lif=fire(n, c),
    ),
    "drop": lambda n, c: Block(
        lambda s, x: s.lif(s.drop(x)), drop=layer.Dropout(0.5, step_mode="m"), lif=fire(n, c)
    ),
}


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values).reshape(-1, 1, 1)


OF_OTHER_TOOLS: dict[str, Callable[[str, int], nn.Module]] = {
    "euler": lambda n, c: Block(
        lambda s, x: s.lif(s.conv(x)),
        conv=_conv(c),
        lif=EulerNode(
            torch.linspace(1.5, 3.0, c).reshape(-1, 1, 1),
            _numbers(1.3),
            _numbers(0.1),
            _numbers(0.4),
            torch.linspace(-0.2, 0.1, c).reshape(-1, 1, 1),
            n.startswith("if"),
            step_mode="m",
        ),
    ),
    "euler-if": lambda n, c: Block(
        lambda s, x: s.lif(x),
        lif=EulerNode(
            None, _numbers(0.9), _numbers(0), _numbers(0.7), _numbers(0.1), False, step_mode="m"
        ),
    ),
    "integrated": lambda n, c: Block(
        lambda s, x: s.lif(s.sum(s.current(x))),
        current=IntegratorNode(_numbers(2.5), _numbers(1.5), _numbers(0.2), step_mode="m"),
        sum=IntegratorNode(None, _numbers(0.5), _numbers(0.0), step_mode="m"),
        lif=fire(n, c),
    ),
    "summed": lambda n, c: Block(
        lambda s, x: s.conv(s.pool(s.lif(x))),
        conv=_conv(c),
        pool=layer.AvgPool2d(3, 1, 1, divisor_override=1, step_mode="m"),
        lif=fire(n, c),
    ),
    "compared": lambda n, c: Block(
        lambda s, x: (s.lif(x) + (s.conv(x) > 0.25).to(x) + (x >= s.level[0]).to(x)) * 0.5,
        conv=_conv(c),
        level=nn.ParameterList([torch.linspace(-0.5, 0.5, c).reshape(-1, 1, 1)]),
        lif=fire(n, c),
    ),
}
"""What SpikingJelly has no layer for, but NIR files of other tools bring in."""


class RandomNet(nn.Module):
    """Blocks one after the other, a read-out behind them.

    Args:
        layout: "image" repeats `[B, C, H, W]` over time; "time" takes `[T, B, ...]`, "batch"
            `[B, T, ...]`.
    """

    def __init__(
        self, blocks: list[tuple[str, str]], layout: str, channels: int = 4, steps: int = 3
    ) -> None:
        super().__init__()
        self.layout, self.steps = layout, steps
        self.stem = nn.Sequential(nn.Conv2d(2, channels, 3, padding=1), nn.BatchNorm2d(channels))
        self.entry = fire("lif", channels)
        makes = {**BLOCKS, **OF_OTHER_TOOLS}
        self.blocks = nn.ModuleList(makes[name](kind, channels) for name, kind in blocks)
        self.head = nn.Linear(channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.layout == "image":
            x = self.stem(x).unsqueeze(0).repeat(self.steps, 1, 1, 1, 1)
        else:
            x = x if self.layout == "time" else x.transpose(0, 1)
            x = self.stem(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        x = self.entry(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((3, 4)).mean(0))

    def sample(self, batch: int = 2) -> Tensor:
        shape = {
            "image": (batch, 2, 4, 4),
            "time": (self.steps, batch, 2, 4, 4),
            "batch": (batch, self.steps, 2, 4, 4),
        }[self.layout]
        return torch.randn(shape) * 2


@st.composite
def random_nets(draw: st.DrawFn, names: Collection[str] = BLOCKS) -> RandomNet:
    """A random network in eval mode, its statistics redrawn so that neurons fire."""
    blocks = draw(
        st.lists(
            st.tuples(st.sampled_from(sorted(names)), st.sampled_from(NEURONS)),
            min_size=1,
            max_size=4,
        )
    )
    torch.manual_seed(draw(st.integers(0, 2**16)))
    net = RandomNet(blocks, draw(st.sampled_from(["image", "time", "batch"])))
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.1, 0.5)
            module.weight.data.uniform_(-1.5, 1.5)
            module.bias.data.normal_(0.4, 0.4)
    return net.eval()
