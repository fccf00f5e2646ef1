"""The frequency view: spectra of feature maps and of sequences, transfer functions of neurons."""

from spikeport.estimate.spectrum.export import export
from spikeport.estimate.spectrum.render import render
from spikeport.estimate.spectrum.report import SpectrumReport
from spikeport.estimate.spectrum.spectra import Spectra

__all__ = ["Spectra", "SpectrumReport", "export", "render"]
