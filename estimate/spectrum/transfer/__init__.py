"""The transfer function of a spiking neuron: theory and measurement."""

from spikeport.estimate.spectrum.transfer.measure import Drive, Transfer, measure
from spikeport.estimate.spectrum.transfer.report import as_dict, export, summary
from spikeport.estimate.spectrum.transfer.theory import NeuronChoice

__all__ = ["Drive", "NeuronChoice", "Transfer", "as_dict", "export", "measure", "summary"]
