"""One trained network, one count, every published price: how far conventions differ.

python compare_energy_models.py [folder]     (energy_models/ by default; some 10 s on one core)

The network is `max_former_digits`, whose weights come with Spikeport; the data are event digits:
simulated events, 32 x 32 pixels. No energy here was measured on hardware: each is counts times
constants that somebody published.
"""

import sys
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure

import spikeport
from spikeport.estimate import ENERGY_MODELS, PAPER_MODES, DataInfo, energy_model, estimate

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "energy_models")
folder.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)  # layers this small gain nothing from more

# 1. Count once. Every tenth recording, since the data are sorted by class; frames with time first.
test = spikeport.open_data("digits", "test", steps=4)
frames = torch.from_numpy(test.frames[::10]).transpose(0, 1).float()  # [T, B, C, H, W]
labels = torch.from_numpy(test.labels[::10])
network = spikeport.load_model("max_former_digits")
# This model reads batch first, as it says; `trace` finds out, and the graph takes time first.
graph = spikeport.trace(network, frames[:, :2].transpose(0, 1), input_domain="graded")

# 2. Charge the count by every energy model and every paper mode. A paper mode is how a paper came
#    to its figure, switches included; the first value of a switch is the paper's own.
modes = []
for name, mode in PAPER_MODES.items():
    for values in product(*mode.switches.values()):
        switches = zip(mode.switches, values, strict=True)
        chosen = ",".join(f"{switch}={value}" for switch, value in switches)
        modes.append(f"{name}:{chosen}" if chosen else name)
models = ["horowitz45-fp32", *(each for each in ENERGY_MODELS if each != "horowitz45-fp32")]
report = estimate(
    spikeport.Interpreter(graph),
    [(frames, labels)],
    models,
    papers=modes,
    data=DataInfo("event digits", "test, every tenth", test.provenance),
)
assert report.ledger.complete, report.headline  # nothing of the network is uncounted
sop, right = report.totals["sop"], report.accuracy.top1
print(f"{report.tally.samples} recordings (simulated events), {100 * right:.0f} % right")
print(f"{sop:,.0f} synaptic operations each; what they are said to cost:\n")

# 3. One table. `report.as_dict()` holds what the files hold, so pandas needs no more than this.
told = report.as_dict()
by_model = pd.DataFrame(told["energy_models"]).set_index("id")
table = pd.DataFrame(
    {
        "uJ": by_model["energy_uJ"],
        "technology": [energy_model(each).technology for each in by_model.index],
        # Of the constants, those that were not read in the primary source.
        "unverified": [
            f"{len(each)} of {len(energy_model(name).constants)}"
            for name, each in by_model["unverified_constants"].items()
        ],
        # Operations that happen in this network and that the model has no price for.
        "not charged": by_model["uncharged_operations"].map(len),
        "source": ["; ".join(energy_model(each).sources) for each in by_model.index],
    }
)
by_paper = pd.DataFrame(told["papers"]).set_index("mode")
papers = pd.DataFrame({"uJ": by_paper["energy_uJ"], "source": by_paper["source"]})
papers["technology"] = "paper's convention, 45 nm"
table = pd.concat({"energy model": table, "paper mode": papers}, names=["kind", "name"])
table.insert(1, "x fp32", table["uJ"] / table.loc[("energy model", "horowitz45-fp32"), "uJ"])
table = table.sort_values(["kind", "uJ"])
shown = table.drop(columns=["source", "technology"])
print(shown.to_string(float_format="{:.3g}".format, na_rep="-"))
table.to_csv(folder / "conventions.csv")

# 4. What the differences are made of. Models that charge other things make other layers expensive:
#    the share of each part of the network, by some of them.
some = ["horowitz45-fp32", "horowitz45-memory", "loihi1-davies", "ann-gpu"]
layers = report.layers.rename(columns={"energy_uJ": f"energy_uJ[{models[0]}]"})
parts = layers.groupby("part")[[f"energy_uJ[{each}]" for each in some]].sum()
parts.columns = some
print("\n% of the energy, by part of the network")
print((100 * parts / parts.sum()).to_string(float_format="{:.1f}".format))
print("\nLeft out by", ", ".join(some))
for each in some:
    print(f"  {each}: {'; '.join(by_model.loc[each, 'excludes'])}")

# 5. A figure: logarithmic, as nothing else would show both ends; points, as a bar needs a zero.
figure = Figure(figsize=(8, 1 + 0.22 * len(table)), layout="constrained")
axes = figure.subplots()
for kind, meant in {
    "energy model": "exact count x energy model",
    "paper mode": "as papers do",
}.items():
    axes.plot(table.loc[kind, "uJ"], table.loc[kind].index, "o", label=meant)
axes.axvline(table.loc[("energy model", "horowitz45-fp32"), "uJ"], color="grey", linestyle=":")
axes.set_xscale("log")
axes.set_xlabel("uJ per recording")
axes.legend(loc="lower right")
axes.set_title("max_former_digits on event digits (simulated events)", fontsize=10)
figure.savefig(folder / "conventions.png", dpi=150)
print(f"\n{folder}: conventions.csv (with technology and source of each), conventions.png")
