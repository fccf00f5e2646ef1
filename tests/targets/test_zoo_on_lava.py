"""Every model of the zoo on Lava, spike for spike, or refused for the reason that is named here."""

from __future__ import annotations

import pytest
import torch
from nets import lively
from torch import Tensor, nn

from spikeport.convert import trace
from spikeport.convert.graph import Graph
from spikeport.targets.lava import IntegerExecutor, check, lower, run_in_process
from spikeport.targets.lowered import run_executor
from spikeport.targets.parity import compare
from spikeport.train.models import MODELS, create_model
from spikeport.train.models.options import FormerOptions, Stage
from spikeport.train.models.resnet import ResNetOptions

IN_FULL = (
    "max_former_event",
    "max_former_cifar",
    "max_former_10_384",
    "ms_qkformer_event",
    "ms_qkformer_cifar",
    "ms_qkformer_10_384",
    "max_resnet18",
    "ms_resnet18_2222",
    "spikformer_cifar_2_384",
    "spikformer_event",
    "spikformer_8_384",
    "ablation_c100_orig_orig_orig__avg_avg_avg",
    "ablation_c100_orig_max_max__max_max_max",
    "ablation_c100_orig_max_max__sdsa_sdsa_sdsa",
    "ablation_c100_orig_orig_orig__ssadwc5_ssadwc5_ssadwc5",
    "ablation_c100_1max_1max_1max__ssa_ssa_ssa",
    "ablation_c10dvs_orig_max__dwc3_ssa",
)
"""One model for each way in which models differ; the rest of the zoo is marked slow."""

FEEDBACK = {
    "arch_1": "more than one layer",
    "arch_2": "more than one layer",
    "arch_3": None,
    "arch_4": None,
    "arch_5": None,
    "stf_1": "more than one layer",
    "stf_2": None,
}


def small(name: str, **changed: object) -> tuple[Graph, Tensor]:
    """A narrow and shallow version in which every layer fires, as graph, and frames for it."""
    entry = MODELS[name]
    options = entry.options()
    chosen: dict[str, object] = {"num_classes": 5}
    if isinstance(options, FormerOptions):
        stages = tuple(stage.model_copy(update={"depth": 1}) for stage in options.stages)
        large = any(s.embedding in ("orig_imagenet", "qkformer_stem") for s in stages)
        side = 96 if large else 24 if entry.static else 32
        dim = 32 if options.stf is None else 64
        chosen |= {"dim": dim, "heads": 4, "stages": stages, "image_size": (side, side)}
    elif isinstance(options, ResNetOptions):
        widths = tuple(8 * 2**i for i in range(len(options.widths)))
        chosen |= {"widths": widths, "blocks": (1,) * len(widths), "image_size": (16, 16)}
    else:
        side = 16 if "cifar" in name else 48
        chosen |= {"dim": 32, "depth": 1, "heads": 4, "image_size": (side, side)}
    torch.manual_seed(0)
    model = create_model(name, **(chosen | changed))
    shape = model.input_shape
    if entry.static:
        frames = sample = torch.randn(2, *shape)
    else:
        sample = torch.poisson(torch.full((2, 4, *shape), 0.5))
        frames = sample.transpose(0, 1)
    _firing(lively(model))
    return trace(model, sample, input_domain="real" if entry.static else "graded"), frames


def _firing(model: nn.Module) -> None:
    """So narrow a model counts few spikes in its attention, and little reaches its last layers."""
    for name, module in model.named_modules():
        if name.endswith("attn_lif"):
            module.v_threshold = 0.125
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.bias.data += 0.5


def assert_lowered(graph: Graph, frames: Tensor) -> None:
    assert check(graph).ok
    artefact = lower(graph, frames, headroom="observed")
    exact = IntegerExecutor(artefact.graph, check_values=True)
    run = run_executor(exact, frames, "integer")
    result = compare(run, run_in_process(artefact.graph, frames))
    result.require()
    assert result.equal and not result.silent
    assert result.output_difference == 0.0
    fast = run_executor(artefact.executor(), frames, "integer")
    assert all(torch.equal(fast.spikes[layer], s) for layer, s in run.spikes.items())


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in IN_FULL else pytest.mark.slow) for name in MODELS],
)
def test_model_on_lava(name):
    assert_lowered(*small(name))


@pytest.mark.parametrize("variant", FEEDBACK)
def test_temporal_feedback_on_lava(variant):
    """The width leaves the encoding layer 16 channels, which position embeddings share out."""
    graph, frames = small("max_former_cifar", dim=128, image_size=(16, 16), stf=variant)
    reason = FEEDBACK[variant]
    if reason is None:
        assert_lowered(graph, frames)
        return
    errors = check(graph).errors
    assert any(reason in finding.why and finding.fix for finding in errors), errors


@pytest.mark.parametrize("mixer", ["fft1d", "fft2d"])
def test_fourier_mixers_are_refused(mixer):
    stages = (Stage(embedding="orig", mixer=mixer), Stage(embedding="max", mixer="ssa"))
    graph, _ = small("max_former_cifar", stages=stages)
    errors = check(graph).errors
    assert [finding.why for finding in errors] == ["Lava has no counterpart for 'fourier'."]
