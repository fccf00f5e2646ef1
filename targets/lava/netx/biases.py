"""Biases as netx has them."""

from __future__ import annotations

from dataclasses import replace

import torch

from spikeport.convert.graph import rebuilt
from spikeport.targets.lava.artefact import LavaArtefact
from spikeport.targets.lava.limits import CURRENT_SHIFT
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.quantise import QuantisationReport


def with_whole_biases(artefact: LavaArtefact) -> LavaArtefact:
    """The same network with biases rounded to whole currents, which is all that netx knows.

    Spikes may change: the report tells by how much each bias was rounded. The artefact handed in
    stays as it is.

    Raises:
        UsageError: the graph has not been lowered.
    """
    lava_metadata(artefact.graph)
    report = QuantisationReport(dict(artefact.report.options), list(artefact.report.rows))
    changed: dict[str, LavaLIF] = {}
    for node in artefact.graph:
        if isinstance(node.op, LavaLIF) and node.op.bias_mant is not None:
            fine = node.op.bias_mant.double() * 2.0**node.op.bias_exp / 2.0**CURRENT_SHIFT
            whole = torch.round(fine)
            lost = float((whole - fine).abs().max()) / (node.op.vth + 1)
            mantissa = whole.to(torch.int32) if bool(whole.any()) else None
            exponent = CURRENT_SHIFT if mantissa is not None else 0
            changed[node.name] = replace(node.op, bias_mant=mantissa, bias_exp=exponent)
            figure = "bias rounded to whole currents, largest"
            report.add(node.name, node.path, figure, lost, "of the threshold")
    return replace(artefact, graph=rebuilt(artefact.graph, dict(changed)), report=report)
