"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str,
    typer.Argument(
        help="A graph (*.spg), a model name (spikeport list), or package.module:factory."
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="Weights: .safetensors, or what torch.save wrote (.pt, .pth, .pth.tar)."),
]
Data = Annotated[str, typer.Option(help="Data by NAME[:PATH]; see spikeport list.")]
Split = Annotated[str, typer.Option(help="Which part of the data.")]
Samples = Annotated[
    int | None, typer.Option(help="Use N samples, spread evenly over the split.", min=1)
]
Steps = Annotated[
    int | None, typer.Option(help="Time steps T; the model's own by default.", min=1, max=1024)
]
Framing = Annotated[
    str, typer.Option(help="Frames of equal event count (count) or of equal duration (time).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
