"""Max-ResNet (arXiv 2505.18608, table 5) and its baseline MS-ResNet (arXiv 2112.08954)."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.base import ZooModel
from spikeport.train.models.input import check_frames, check_image
from spikeport.train.models.neuron import lif
from spikeport.train.models.resnet.block import BasicBlock
from spikeport.train.models.resnet.options import ResNetOptions
from spikeport.train.models.steps import per_step


class MembraneResNet(ZooModel):
    """Images `[B, C, H, W]`, shown T time steps, or frames `[B, T, C, H, W]` -> `[B, num_classes]`.

    A 3 x 3 convolution, stages of basic blocks of which all but the first halve the size, LIF, mean
    of the spikes over space, linear at each step, mean over time. Names of parameters are those of
    the published checkpoints.
    """

    options: ResNetOptions

    def __init__(self, options: ResNetOptions) -> None:
        super().__init__(options)
        channels = options.stem
        self.conv1 = nn.Conv2d(options.in_channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        sizes = zip(options.widths, options.blocks, strict=True)
        for number, (width, depth) in enumerate(sizes, start=1):
            layer = nn.Sequential()
            for block in range(depth):
                halve = number > 1 and block == 0
                layer.append(BasicBlock(channels, width, halve=halve, max_pool=options.max_pool))
                channels = width
            self.add_module(f"layer{number}", layer)
        self.spike = lif()
        self.fc1 = nn.Linear(channels, options.num_classes)

    def read(self, x: Tensor) -> Tensor:
        steps = self.options.steps
        if steps is None:
            check_frames(x, self.input_shape)
            return self._stem(self.laid_out(x.transpose(0, 1)))
        check_image(x, self.input_shape)
        shown = (steps, -1, -1, -1, -1)
        image = self.laid_out(x).unsqueeze(0)
        # The statistics of a batch norm are over all that it sees, repetitions included.
        return self._stem(image.expand(shown)) if self.training else self._stem(image).expand(shown)

    def _stem(self, image: Tensor) -> Tensor:
        return per_step(lambda x: self.bn1(self.conv1(x)), image)

    def decide(self, x: Tensor) -> Tensor:
        for number in range(1, len(self.options.blocks) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        each: Tensor = self.fc1(self.spike(x).mean((3, 4)))
        return each.mean(0)
