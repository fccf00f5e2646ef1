"""Chips whose cores hold neurons of any layers: Loihi, TrueNorth.

Lower bounds: layers may share cores, convolutions share weights where synapses are stored in
bytes, and an element that is read takes one input axon on one core. A placement needs as many
cores or more.
"""

from __future__ import annotations

from collections.abc import Mapping

from spikeport.estimate.capacity.needs import LayerNeeds, Needs
from spikeport.estimate.capacity.result import Fit, LayerFit, Overflow
from spikeport.estimate.capacity.schema import Chip, Resource

_NAMES: Mapping[Resource, str] = {
    "neurons": "neurons",
    "synaptic_memory": "bytes of weights",
    "synapses": "synapses",
    "input_axons": "input axons",
    "output_axons": "output axons",
}


def fit_shared_cores(chip: Chip, need: Needs) -> Fit:
    """The bound of the whole network and of each layer alone."""
    bits = chip.weight_bits.count
    cores, bound_by = _bound(
        chip,
        {
            "neurons": need.total("neurons"),
            "synaptic_memory": sum(layer.weight_bytes(bits) for layer in need.layers),
            "synapses": need.total("synapses"),
            "input_axons": need.sources,
            "output_axons": need.senders,
        },
    )
    overflows = list(_too_many_inputs(chip, need))
    if cores > chip.cores_per_chip:
        overflows.append(Overflow("network", "cores", cores, chip.cores_per_chip))
    layers = tuple(_layer(chip, layer, bits) for layer in need.layers)
    return Fit(chip, cores, bound_by, layers, tuple(overflows))


def _bound(chip: Chip, needed: Mapping[Resource, int]) -> tuple[int, str]:
    asked = {
        _NAMES[resource]: -(-needed[resource] // limit.count)
        for resource, limit in chip.per_core.items()
    }
    worst = max(asked, key=lambda name: asked[name])
    return max(asked[worst], 1), worst


def _layer(chip: Chip, layer: LayerNeeds, bits: int) -> LayerFit:
    cores, bound_by = _bound(
        chip,
        {
            "neurons": layer.neurons,
            "synaptic_memory": layer.weight_bytes(bits),
            "synapses": layer.synapses,
            "input_axons": layer.inputs,
            "output_axons": layer.neurons,
        },
    )
    return LayerFit(layer.node, layer.path, layer.kind, cores, bound_by)


def _too_many_inputs(chip: Chip, need: Needs) -> list[Overflow]:
    """A neuron is on one core, so all its inputs arrive there."""
    if "input_axons" not in chip.per_core:
        return []
    limit = chip.per_core["input_axons"].count
    return [
        Overflow(layer.path or layer.node, "inputs of one neuron", layer.fan_in, limit)
        for layer in need.layers
        if layer.fan_in > limit
    ]
