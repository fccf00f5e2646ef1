"""What a certificate says, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spikeport.convert import Certificate, Seal

SILENT = (
    "NOTHING PROVEN: no neuron fired on the input that was compared, so equal spikes say nothing. "
    "Trace again with input that makes the network fire."
)
_NOTES = {
    "silent": "never fired on that input, so equality says little there",
    "unread": "runs in the model, but nothing reads its spikes: it is left out",
}


def compared(certificate: Certificate) -> str:
    """One sentence: what was compared, and how equal it was."""
    return (
        f"{certificate.spikes:,} spikes in {certificate.neurons} neuron layers equal to the "
        f"model's ({certificate.dtype}, {certificate.fired:,} fired), outputs within "
        f"{certificate.output_difference:.1g}."
    )


def notes(certificate: Certificate) -> list[str]:
    """What weakens the proof; first of all that nothing fired."""
    if certificate.fired == 0:
        return [SILENT]
    return [
        f"Note: {name} {note}."
        for key, note in _NOTES.items()
        for name in getattr(certificate, key)
    ]


def proof_lines(seal: Seal | None) -> list[str]:
    """The proof of a graph, a paragraph per entry."""
    if seal is None:
        return ["No certificate: this graph has not been compared with a model."]
    return [compared(seal.certificate), *notes(seal.certificate)]
