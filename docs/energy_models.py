"""Writes the tables of `docs/energy-models.md` from the models themselves.

    python docs/energy_models.py

A test fails when the page is older than the models.
"""

from __future__ import annotations

from pathlib import Path

from spikeport.estimate.energy import ENERGY_MODELS, EnergyModel

PAGE = Path(__file__).with_name("energy-models.md")
START = "<!-- written by docs/energy_models.py -->"


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(START)] + tables(), encoding="utf-8")


def tables() -> str:
    """All of the page below its introduction."""
    models = [ENERGY_MODELS[name] for name in sorted(ENERGY_MODELS)]
    lines = [START, "", "| model | what it prices | width of a weight |", "|---|---|---|"]
    lines += [f"| [`{each.id}`](#{each.id}) | {each.title} | {_width(each)} |" for each in models]
    for model in models:
        lines += ["", f"## {model.id}", "", *_section(model)]
    return "\n".join(lines) + "\n"


def _width(model: EnergyModel) -> str:
    return f"{model.weight_bits} bits" if model.weight_bits else "as stored"


def _section(model: EnergyModel) -> list[str]:
    lines = [f"{model.title}. {model.technology}; {model.precision}."]
    if model.note:
        lines += ["", model.note]
    lines += ["", f"Charged: {_list(model.includes)}.", "", f"Left out: {_list(model.excludes)}."]
    lines += ["", "| constant | value | what it is | source | status |", "|---|---|---|---|---|"]
    for name, constant in model.constants.items():
        status = constant.status + ("" if constant.verified else ", unverified")
        row = (f"`{name}`", f"{constant.value:g} {constant.unit}", constant.meaning)
        lines.append("| " + " | ".join((*row, constant.source, status)) + " |")
    return lines


def _list(words: tuple[str, ...] | list[str]) -> str:
    return "; ".join(words)


if __name__ == "__main__":
    main()
