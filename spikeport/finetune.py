"""Fine-tuning in a target's fixed point, by the training loop: what it recovers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.convert.api import trace
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UsageError
from spikeport.core.files import write_json
from spikeport.estimate.evaluation.answers import AccuracyResult, accuracy
from spikeport.estimate.paired import Paired, paired
from spikeport.runs import CALIBRATION_SAMPLES, spread
from spikeport.targets.artefact import write_artefact
from spikeport.targets.lava import lower
from spikeport.targets.lava.qat import QatNetwork, to_qat
from spikeport.train.checkpoint import load_model
from spikeport.train.engines import open_engine
from spikeport.train.learning import Choices, learn
from spikeport.train.loop import open_splits, require_fresh
from spikeport.train.recipe import Recipe
from spikeport.train.samples import FrameSamples, Samples, open_samples
from spikeport.train.state import EpochReport
from spikeport.train.stopping import on_sigterm

GRAPH_FILE, ARTEFACT_FOLDER, REPORT_FILE = "tuned.spg", "lowered", "qat.json"
_BATCH = 100


@dataclass(frozen=True)
class FineTuned:
    """A network in fixed point before and after fine-tuning, on the same test samples, which were
    looked at once, at the end.

    Attributes:
        bits: width of a weight with sign.
        float_network: before any of it.
        ptq: quantised after training, weights chosen together by the lowering's own search.
        qat: fine-tuned in fixed point.
        recovered: `qat` against `ptq`, sample by sample.
        provenance: of the test samples.
        history: one report for each epoch.
        graph, artefact: the tuned network in float weights, and lowered.
    """

    bits: int
    float_network: AccuracyResult
    ptq: AccuracyResult
    qat: AccuracyResult
    recovered: Paired
    provenance: str
    history: tuple[EpochReport, ...]
    graph: Path
    artefact: Path

    def as_json(self) -> dict[str, Any]:
        named = {"float": self.float_network, "ptq": self.ptq, "qat": self.qat}
        low, high = self.recovered.interval
        return {
            "bits": self.bits,
            "test_samples": self.qat.count,
            "provenance": self.provenance,
            **{name: _told(result) for name, result in named.items()},
            "recovered": {
                "difference": self.recovered.difference,
                "low": low,
                "high": high,
                "p_value": self.recovered.p_value,
            },
            "epochs": [report.model_dump() for report in self.history],
            "graph": str(self.graph),
            "artefact": str(self.artefact),
        }


def fine_tune(
    recipe: Recipe,
    out_dir: str | Path,
    *,
    bits: int,
    checkpoint: str | Path | None = None,
    samples: int | None = None,
    resume: bool = False,
    loaders: int = 0,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> FineTuned:
    """Fine-tune a trained model in Lava's fixed point as a recipe says, on the CPU.

    The forward pass is that of the integer executor, spike for spike; gradients go to float
    weights. Scales come from recordings of the training split.

    Args:
        recipe: what it learns from and how; its model is the one that is tuned.
        out_dir: receives the training state, `tuned.spg`, `lowered/` and `qat.json`.
        bits: width of a weight with sign.
        checkpoint: weights to start from; None for those that come with the model.
        samples: test on so many samples, spread evenly; all by default.
        resume: go on where an earlier run stopped.

    Raises:
        UsageError: the recipe asks for half precision or images, or a value is out of range.
        UnsupportedError: the network cannot be lowered.
        Stopped: SIGTERM came, and the state is saved.
    """
    if recipe.precision != "float32":
        raise UsageError(
            "whole numbers beyond 256 are not exact in half precision.",
            where="precision",
            fix="Leave it at float32.",
        )
    folder = Path(out_dir)
    require_fresh(folder, resume)
    model = load_model(recipe.model, checkpoint, **recipe.options)
    splits = open_splits(recipe)
    calibration = _calibration(splits.train[0])
    graph = trace(model, calibration[:, :2].transpose(0, 1), input_domain="graded")
    before = lower(graph, calibration, weight_bits=bits)
    tuned = _BatchFirst(to_qat(graph, calibration, weight_bits=bits))
    choices = Choices(folder, resume, loaders=loaders, on_epoch=on_epoch)
    with on_sigterm() as asked, open_engine(recipe, asked, "cpu", loaders) as engine:
        if engine.processes > 1:
            raise UsageError(
                "fine-tuning in fixed point is for one process.",
                where="--qat",
                fix="Start it without torchrun.",
            )
        learnt = learn(tuned, recipe, splits, engine, choices)
    after = tuned.network.lowered()
    test = open_samples(recipe, recipe.data.test, recipe.data.test_seed)
    chosen = spread(len(test), len(test) if samples is None else samples)
    named = (Interpreter(graph), before.executor(), after.executor())
    whole, ptq, qat = (accuracy(executor, _batches(test, chosen)) for executor in named)
    # With its golden run, so that `spikeport verify` can prove it again.
    write_artefact(after, calibration[:, :2], folder / ARTEFACT_FOLDER)
    tuned.network.graph().save(folder / GRAPH_FILE)
    made = FineTuned(
        bits=bits,
        float_network=whole,
        ptq=ptq,
        qat=qat,
        recovered=paired(ptq.hits, qat.hits),
        provenance=test.provenance,
        history=learnt.history,
        graph=folder / GRAPH_FILE,
        artefact=folder / ARTEFACT_FOLDER,
    )
    write_json(folder / REPORT_FILE, made.as_json())
    return made


class _BatchFirst(nn.Module):
    """Frames `[B, T, C, H, W]` as the loop has them, scores `[B, classes]`."""

    def __init__(self, network: QatNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        scores: Tensor = self.network(frames.transpose(0, 1))
        return scores if scores.dim() == 2 else scores.mean(0)


def _calibration(train: Samples) -> Tensor:
    """Frames `[T, B, C, H, W]` of what is trained on."""
    if not isinstance(train, FrameSamples):
        raise UsageError(
            "fine-tuning in fixed point is for frames of events.",
            where="data.spec",
            fix="Use a recipe for event data.",
        )
    places = spread(len(train), CALIBRATION_SAMPLES)
    return torch.stack([train.plain(place) for place in places], dim=1)


def _batches(samples: Samples, chosen: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
    for frames, labels in samples.batches(np.array(chosen), size=_BATCH):
        yield frames.transpose(0, 1).contiguous(), labels


def _told(result: AccuracyResult) -> dict[str, Any]:
    low, high = result.interval
    return {"correct": result.correct, "accuracy": result.top1, "low": low, "high": high}
