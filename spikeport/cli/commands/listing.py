"""`spikeport list`: what there is to choose from."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from spikeport.cli import output

if TYPE_CHECKING:
    from spikeport.core.registry import Registry
    from spikeport.estimate import EnergyModel
    from spikeport.estimate.capacity import Chip
    from spikeport.estimate.paper import PaperMode

T = TypeVar("T")


def catalogue() -> dict[str, dict[str, str]]:
    """Names and one-line descriptions by kind; what a package added names the package."""
    from spikeport.convert.ops import OPS
    from spikeport.convert.passes import PASSES
    from spikeport.estimate.capacity import CHIPS
    from spikeport.estimate.energy import ENERGY_MODELS
    from spikeport.estimate.paper import PAPER_MODES
    from spikeport.targets import TARGETS
    from spikeport.targets.lava import ops as _ops  # noqa: F401  registers the ops of lowered graphs
    from spikeport.train.attacks import ATTACKS, SPACES
    from spikeport.train.checkpoint import shipped_models
    from spikeport.train.data import DATA
    from spikeport.train.data.perturb import PERTURBATIONS
    from spikeport.train.data.readers import READERS
    from spikeport.train.models import MODELS
    from spikeport.train.recipe import load_recipe, recipe_names

    trained = dict.fromkeys(shipped_models(), ", trained weights included")
    found = {
        "models": {
            name: entry.description + trained.get(name, "")
            for name, entry in MODELS.items()
            if not entry.published
        },
        "rows of ablation tables (models too)": {
            name: entry.description for name, entry in MODELS.items() if entry.published
        },
        "data": {name: entry.description for name, entry in DATA.items()},
        "event files": _described(READERS, lambda entry: entry.description),
        "perturbations": {
            name: f"{entry.description}; level: {entry.unit}"
            for name, entry in PERTURBATIONS.items()
        },
        "attacks": {name: entry.description for name, entry in ATTACKS.items()},
        "attack spaces": {name: entry.description for name, entry in SPACES.items()},
        "recipes": {
            name: f"trains {(recipe := load_recipe(name)).model} on {recipe.data.spec}"
            for name in recipe_names()
        },
        "energy models": _described(ENERGY_MODELS, _priced),
        "chips": _described(CHIPS, _limited),
        "paper modes": _described(PAPER_MODES, _with_switches),
        "targets": _described(TARGETS, lambda entry: entry.description),
        "passes": _described(PASSES, _first_line),
        "ops": _described(OPS, _first_line),
    }
    failures = {
        f"{registry.kind} {name}": why
        for registry in registries()
        for name, why in registry.failures.items()
    }
    return found | ({"extensions that cannot be used": failures} if failures else {})


def registries() -> tuple[Registry[Any], ...]:
    """Those that packages may add to."""
    from spikeport.convert.ops import OPS
    from spikeport.convert.passes import PASSES
    from spikeport.estimate.energy import ENERGY_MODELS
    from spikeport.targets import TARGETS
    from spikeport.train.data.readers import READERS

    return (ENERGY_MODELS, TARGETS, PASSES, OPS, READERS)


def _described(registry: Registry[T], describe: Callable[[T], str]) -> dict[str, str]:
    return {
        name: describe(entry)
        + (f" (from {registry.origins[name]})" if name in registry.origins else "")
        for name, entry in registry.items()
    }


def _priced(model: EnergyModel) -> str:
    return f"{model.title}; {len(model.unverified)} of {len(model.constants)} constants unverified"


def _limited(chip: Chip) -> str:
    return f"{chip.title}; {len(chip.unverified)} of {len(chip.figures)} limits unverified"


def _with_switches(mode: PaperMode) -> str:
    switches = [f"{name}={'|'.join(values)}" for name, values in mode.switches.items()]
    return "; ".join([mode.source, *switches])


def _first_line(entry: object) -> str:
    return (inspect.getdoc(entry) or "").split("\n")[0]


def run(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List models, data, event files, recipes, energy models, chips, paper modes, targets, passes
    and ops.

    Packages extend Spikeport by entry points of the groups spikeport.ops, spikeport.passes,
    spikeport.targets, spikeport.energy_models and spikeport.readers.

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
