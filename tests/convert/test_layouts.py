"""Which axis is time: found by the neurons, or told where the neurons do not tell."""

import pytest
import torch
from nets import NETS, lively
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from spikeport.convert import Interpreter, to_graph_layout, trace
from spikeport.convert.ops import Neuron, RepeatTime, Tile
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError


def one_step() -> nn.Module:
    """A model whose time loop the user writes outside."""
    torch.manual_seed(0)
    return lively(
        nn.Sequential(
            layer.Conv2d(2, 6, 3, padding=1, bias=False),
            layer.BatchNorm2d(6),
            neuron.IFNode(),
            layer.MaxPool2d(2, 2),
            layer.Flatten(),
            layer.Linear(6 * 4 * 4, 5),
            neuron.LIFNode(v_reset=None, v_threshold=0.3),
        )
    )


def users_loop(model: nn.Module, frames: list[Tensor]) -> Tensor:
    model = model.double()
    functional.reset_net(model)
    with torch.no_grad():
        outputs = torch.stack([model(frame.double()) for frame in frames])
    functional.reset_net(model)
    return outputs


IMAGE = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
FRAMES = torch.rand(4, 3, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 3


def test_a_model_of_one_time_step_on_a_static_image() -> None:
    model = one_step()
    graph = trace(model, IMAGE, steps=4)
    assert graph.metadata["time_axis"] is None
    repeat = next(node for node in graph if isinstance(node.op, RepeatTime))
    assert repeat.op.steps == 4
    result = Interpreter(graph, torch.float64).run(IMAGE)
    expected = users_loop(model, [IMAGE] * 4)
    assert torch.equal(result, expected)
    assert 0.05 < result.mean() < 0.95
    assert not torch.equal(expected[0], expected[1])


@pytest.mark.parametrize("layout", ["TBCHW", "BTCHW"])
def test_a_model_of_one_time_step_on_frames(layout: str) -> None:
    model = one_step()
    sample = FRAMES if layout == "TBCHW" else FRAMES.transpose(0, 1)
    graph = trace(model, sample, layout=layout)
    assert graph.metadata["time_axis"] == "TB".index(layout[1]) ^ 1
    longer = torch.cat([FRAMES, FRAMES])
    result = Interpreter(graph, torch.float64).run(longer)
    assert torch.equal(result, users_loop(model, list(longer)))
    in_layout = longer if layout == "TBCHW" else longer.transpose(0, 1)
    assert torch.equal(to_graph_layout(graph, in_layout), longer)


def test_steps_tell_time_from_batch_where_they_differ() -> None:
    graph = trace(one_step(), FRAMES.transpose(0, 1), steps=4)
    assert graph.metadata["time_axis"] == 1


def test_five_axes_of_a_model_of_one_time_step_are_ambiguous() -> None:
    with pytest.raises(UsageError, match="can be read as TBCHW or BTCHW") as caught:
        trace(one_step(), FRAMES)
    assert "--layout" in caught.value.fix
    with pytest.raises(UsageError, match="can be read as TBCHW or BTCHW"):
        trace(one_step(), FRAMES[:3], steps=3)


def test_an_image_needs_a_number_of_steps() -> None:
    with pytest.raises(UsageError, match="the sample has no time axis") as caught:
        trace(one_step(), IMAGE)
    assert "--steps" in caught.value.fix


def test_steps_that_no_axis_has() -> None:
    with pytest.raises(UnsupportedError, match=r"runs on no frame of a sample .* over 7 steps"):
        trace(one_step(), FRAMES, steps=7)
    with pytest.raises(UsageError, match="under layout TBCHW the sample has 4 steps, not 7"):
        trace(one_step(), FRAMES, layout="TBCHW", steps=7)


@pytest.mark.parametrize("steps", [0, -1, 2.5, "4"])
def test_steps_that_are_no_number(steps) -> None:
    with pytest.raises(UsageError, match="no number of time steps"):
        trace(one_step(), IMAGE, steps=steps)


def test_a_layout_that_does_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="TBCHW"):
        trace(one_step(), FRAMES, layout="TBHWC")


def test_a_frame_without_batch_is_no_reading() -> None:
    """nn.Conv2d takes [C, H, W] too, which would make an image [T, C, H, W]."""
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(2, 4, 3), neuron.IFNode(v_threshold=0.1))
    graph = trace(plain, torch.rand(3, 2, 8, 8), steps=3)
    assert graph.metadata["time_axis"] is None


def test_a_frame_of_another_size_is_told() -> None:
    with pytest.raises(UnsupportedError, match=r"runs on no frame of a sample \[3, 2, 9, 4\]"):
        trace(one_step(), IMAGE[:, :, :4].repeat(1, 1, 3, 1)[:, :, :9, :4], steps=2)


@pytest.mark.parametrize("name", NETS)
def test_a_right_layout_changes_nothing(name: str) -> None:
    factory, shape = NETS[name]
    layout = {"batch-first": "BTCHW", "image-repeat": "BCHW", "image-expand": "BCHW"}
    torch.manual_seed(0)
    graph = trace(lively(factory()), torch.rand(shape), layout=layout.get(name, "TBCHW"))
    assert any(isinstance(node.op, Neuron) for node in graph)


def test_a_wrong_layout_is_refused_by_the_first_neuron() -> None:
    factory, shape = NETS["batch-first"]
    with pytest.raises(UnsupportedError, match="its first axis is not time: it holds batch"):
        trace(lively(factory()), torch.rand(shape), layout="TBCHW")


def test_steps_of_a_model_that_has_its_own_are_checked() -> None:
    factory, shape = NETS["image-repeat"]
    model = lively(factory())
    assert trace(model, torch.rand(shape), steps=4).metadata["time_axis"] is None
    with pytest.raises(UsageError, match="runs 4 time steps on this sample, not 3"):
        trace(model, torch.rand(shape), steps=3)
    with pytest.raises(UsageError, match="runs 6 time steps on this sample, not 3"):
        trace(lively(NETS["vectors"][0]()), torch.rand(NETS["vectors"][1]), steps=3)


class GreyToColour(nn.Module):
    """Repeats a feature axis before the first neuron, and another one over time."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.conv, self.lif = nn.Conv2d(3, 4, 3), neuron.LIFNode(step_mode="m", v_threshold=0.1)

    def forward(self, x: Tensor) -> Tensor:
        colour = x.repeat(1, 3, 1, 1) if self.how == "repeat" else x.expand(-1, 3, -1, -1)
        current = self.conv(colour)
        if self.how == "repeat":
            return self.lif(current.unsqueeze(0).repeat(4, 1, 1, 1, 1)).mean(0)
        return self.lif(torch.stack([current] * 4)).sum(0)


@pytest.mark.parametrize("how", ["repeat", "stack"])
def test_a_repeated_colour_is_not_time(how: str) -> None:
    torch.manual_seed(0)
    graph = trace(GreyToColour(how), torch.rand(4, 1, 6, 6) * 3)
    kinds = [type(node.op) for node in graph]
    assert kinds.count(Tile) == kinds.count(RepeatTime) == 1
    assert graph.metadata["certificate"]["fired"] > 0
