"""Things worth knowing that are no errors, for whoever listens: the command line prints them."""

from __future__ import annotations

import logging

NOTES = logging.getLogger("spikeport.notes")


def note(message: str) -> None:
    """Tell it; without a handler of logging it goes to standard error."""
    NOTES.warning("%s", message)
