"""Small networks as users write them."""

from collections.abc import Callable

import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn


def lively(model: nn.Module, seed: int = 0) -> nn.Module:
    """Batch norm statistics and offsets that let most neurons fire."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.1, 0.4, generator=generator)
            module.weight.data.uniform_(0.8, 1.6, generator=generator)
            module.bias.data.normal_(0.3, 0.3, generator=generator)
    return model.eval()


def awake(model: nn.Module, x: Tensor) -> nn.Module:
    """Turn up the layer before each neuron that hardly fires on `x`, in the order of the run."""
    neurons = [m for m in model.modules() if hasattr(m, "v_threshold")]
    for _ in range(len(neurons)):
        rates: dict[nn.Module, tuple[float, nn.Module | None]] = {}
        last: list[nn.Module] = []
        hooks = []

        def note_layer(module: nn.Module, *_: object) -> None:
            last.append(module)  # noqa: B023

        def note_neuron(module: nn.Module, _: object, out: Tensor) -> None:
            rates[module] = (float(out.mean()), last[-1] if last else None)  # noqa: B023

        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.Linear | nn.Conv2d):
                hooks.append(module.register_forward_hook(note_layer))
            elif hasattr(module, "v_threshold"):
                hooks.append(module.register_forward_hook(note_neuron))
        functional.reset_net(model)
        with torch.no_grad():
            model(x)
        functional.reset_net(model)
        for hook in hooks:
            hook.remove()
        quiet = [(m, before) for m, (rate, before) in rates.items() if rate < 0.02]
        if not quiet:
            return model
        _louder(quiet[0][0], quiet[0][1])
    return model


def _louder(node: nn.Module, layer_before: nn.Module | None) -> None:
    if isinstance(layer_before, nn.modules.batchnorm._BatchNorm):
        layer_before.bias.data += 0.3
        layer_before.weight.data *= 1.5
    elif layer_before is not None:
        layer_before.weight.data *= 2.0
    else:
        node.v_threshold *= 0.5


def sequential() -> nn.Module:
    """SpikingJelly layers in multi-step mode, three kinds of neuron."""
    net = nn.Sequential(
        layer.Conv2d(2, 8, 3, padding=1, bias=False),
        layer.BatchNorm2d(8),
        neuron.IFNode(),
        layer.MaxPool2d(2),
        layer.Conv2d(8, 8, 3),
        layer.BatchNorm2d(8),
        neuron.ParametricLIFNode(v_reset=None),
        layer.AvgPool2d(2),
        layer.Dropout(0.5),
        layer.Flatten(),
        layer.Linear(8 * 3 * 3, 10),
        neuron.LIFNode(decay_input=False),
    )
    functional.set_step_mode(net, "m")
    return net


class StaticImage(nn.Module):
    """An image repeated over time inside the model, as CIFAR models do."""

    def __init__(self, how: str = "repeat", steps: int = 4) -> None:
        super().__init__()
        self.how, self.steps = how, steps
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8))
        self.lif = neuron.LIFNode(step_mode="m")
        self.conv = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.out = neuron.LIFNode(step_mode="m", v_threshold=0.1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = (
            x.unsqueeze(0).repeat(self.steps, 1, 1, 1, 1)
            if self.how == "repeat"
            else x.expand(self.steps, *x.shape)
        )
        spikes = self.lif(x)
        y = self.conv(spikes.flatten(0, 1)).reshape(self.steps, -1, 8, 4, 4)
        return self.head(self.out(y).mean((3, 4))).mean(0)


class BatchFirst(nn.Module):
    """[B, T, C, H, W] in, a residual on the membrane, a functional average pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.lif = neuron.LIFNode(step_mode="m", v_threshold=0.2)
        self.second = layer.SeqToANNContainer(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
        self.last = neuron.LIFNode(step_mode="m", v_threshold=0.3)

    def forward(self, x: Tensor) -> Tensor:
        batch, steps = x.shape[:2]
        current = self.conv(x.flatten(0, 1)).unflatten(0, (batch, steps)).transpose(0, 1)
        current = current + self.second(self.lif(current)) * 0.5
        pooled = nn.functional.adaptive_avg_pool2d(current.flatten(0, 1), 1)
        return self.last(pooled.view(steps, batch, 4)).mean(0)


class Mlp(nn.Module):
    """[T, B, F] vectors, a mask, a sum over an axis."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(12, 16), nn.Linear(12, 16)
        self.lif_a, self.lif_b = neuron.LIFNode(step_mode="m"), neuron.IFNode(step_mode="m")
        self.position = nn.Parameter(torch.full((4, 1), 0.1))
        self.last = neuron.IFNode(step_mode="m")

    def forward(self, x: Tensor) -> Tensor:
        gate = self.lif_a(self.a(x)).unflatten(-1, (4, 4))
        mask = gate.sum(-1, keepdim=True) + self.position
        return self.last((self.lif_b(self.b(x)).unflatten(-1, (4, 4)) * mask).flatten(2))


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "sequential": (sequential, (4, 3, 2, 16, 16)),
    "image-repeat": (StaticImage, (3, 3, 8, 8)),
    "image-expand": (lambda: StaticImage("expand"), (3, 3, 8, 8)),
    "batch-first": (BatchFirst, (3, 5, 2, 8, 8)),
    "vectors": (Mlp, (6, 3, 12)),
}
