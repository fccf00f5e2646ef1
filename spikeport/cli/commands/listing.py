"""`spikeport list`: what there is to choose from."""

from __future__ import annotations

from typing import Annotated

import typer

from spikeport.cli import output


def catalogue() -> dict[str, dict[str, str]]:
    """Names and one-line descriptions by kind."""
    from spikeport.estimate.capacity import CHIPS
    from spikeport.estimate.energy import ENERGY_MODELS
    from spikeport.estimate.paper import PAPER_MODES
    from spikeport.targets import TARGETS
    from spikeport.train.data import DATA
    from spikeport.train.models import MODELS
    from spikeport.train.recipe import load_recipe, recipe_names

    return {
        "models": {name: entry.description for name, entry in MODELS.items()},
        "data": {name: entry.description for name, entry in DATA.items()},
        "recipes": {
            name: f"trains {(recipe := load_recipe(name)).model} on {recipe.data.spec}"
            for name in recipe_names()
        },
        "energy models": {name: entry.title for name, entry in ENERGY_MODELS.items()},
        "chips": {name: chip.title for name, chip in CHIPS.items()},
        "paper modes": {
            name: "; ".join(
                [mode.source, *(f"{s}={'|'.join(v)}" for s, v in mode.switches.items())]
            )
            for name, mode in PAPER_MODES.items()
        },
        "targets": {name: entry.description for name, entry in TARGETS.items()},
    }


def run(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List models, data, recipes, energy models, chips, paper modes and targets.

    Example: spikeport list
    """
    found = catalogue()
    if as_json:
        output.print_json(found)
        return
    for kind, entries in found.items():
        rows = [[name, text] for name, text in entries.items()]
        output.console().print(output.table(kind, ["", ""], rows))
        output.console().print()
