"""The columns of `layers.csv`: documented, in an order that only grows at its end."""

from __future__ import annotations

from spikeport.estimate.tally.terms import Term

LAYER_COLUMNS: dict[str, str] = {
    "node": "name of the node in the graph",
    "path": "module path in the traced model",
    "stage": "number of the network stage, empty where paths do not number them",
    "part": "patch embedding, token mixing, MLP, head, or the top-level module",
    "kind": "kind of op",
    "input_domain": "what its inputs carry: spike, graded, scaled or real, by port",
    "coverage": "counted or UNCOUNTED",
    "commuted": "whether events are counted behind a constant scale, where they arise",
    "firing_rate_in": "events per input element and step",
    "input_sites": "input elements times the steps at which they are read",
    "events_in": "non-zero input elements",
    "unit_spikes_in": "sum of |x| over a spike or graded input",
    "sop": "synaptic operations: (event, weight) pairs whose target exists",
    "sop_unit_spikes": "the same with an event of size n counted n times",
    "sop_effective": "synaptic operations whose weight is not zero",
    "dense": "synaptic operations if every input element were an event",
    "dense_padded": "the same with taps on padding: outputs times fan-in",
    "mac": "multiply-accumulates on real input as executed, padding left out",
    "mac_padded": "the same with padding",
    "mac_hoisted": "mac with a static image computed once per sample",
    "mac_padded_hoisted": "the same with padding",
    "driver_reads_left": "events of a product's left operand times their fan-out",
    "driver_reads_right": "events of a product's right operand times their fan-out",
    "and_operations": "gates of a mask",
    "or_operations": "maximum of spikes",
    "bias_additions": "additions of a bias",
    "norm_additions": "additions of batch norms that were not folded",
    "norm_multiplications": "multiplications of batch norms that were not folded",
    "neuron_additions": "additions of neuron updates",
    "neuron_multiplications": "multiplications of neuron updates",
    "neuron_comparisons": "comparisons with the threshold",
    "neuron_resets": "membranes set back or lowered",
    "residual_additions": "additions of shortcuts",
    "pool_comparisons": "maximum of values that are not spikes",
    "pool_additions": "sums and averages over windows, axes or time",
    "multiplications": "element-wise products, constant scales, divisions of averages",
    "spikes_out": "spikes that a neuron layer emits",
    "sop_std": "standard deviation of sop over the samples",
    "sop_low": "lower end of the 95 % interval of the mean of sop",
    "sop_high": "upper end",
    "sop_rate_formula": "mean input rate x T x dense_padded",
    "rate_formula_deviation_percent": "the rate formula against sop",
    "energy_uJ": "energy in uJ, mean over the samples, without static power",
    "energy_share": "share of the network's energy, 0 to 1",
    "energy_uJ_std": "standard deviation of energy_uJ over the samples",
    "energy_uJ_low": "lower end of the 95 % interval of the mean of energy_uJ",
    "energy_uJ_high": "upper end",
    "bytes_weights": "bytes of weights and biases at the energy model's width",
    "bytes_state": "bytes that neurons keep between steps, one sample",
    "bytes_activations": "bytes of the output at one step, spikes 8 to a byte, the rest float32",
    "firing_rate_out": "spikes per neuron and step that a neuron layer emits",
    "charged_operations": "operations and accesses that the energy model charges",
    "charged_as": "what they are and what each costs",
    "ann_energy_uJ": "energy of the same layer without spikes, one pass, same energy model",
    "quantised_ann_energy_uJ": "the same with activations of ceil(log2(T+1)) bits",
    "break_even_rate": "firing_rate_in at which energy_uJ would be ann_energy_uJ; above 1: never",
    "break_even_rate_quantised": "the same against quantised_ann_energy_uJ",
    "input_shape": "shapes of its inputs at one step and sample, by port",
    "output_shape": "shape of its output at one step and sample",
    "origin": "version, git state, hash of the graph, data and seed; the same in every row",
}

_BY_ENERGY_MODEL = (
    *("energy_uJ", "energy_share", "energy_uJ_std", "energy_uJ_low", "energy_uJ_high"),
    *("charged_operations", "charged_as", "ann_energy_uJ", "quantised_ann_energy_uJ"),
    *("break_even_rate", "break_even_rate_quantised", "origin"),
)


def count_columns() -> list[str]:
    """The columns of `Tally.layers`: all but those of a report under an energy model."""
    return [name for name in layer_columns() if name not in _BY_ENERGY_MODEL]


def layer_columns() -> list[str]:
    """All columns; counts that have no place of their own come last."""
    return [*LAYER_COLUMNS, *(term.value for term in Term if term.value not in LAYER_COLUMNS)]
