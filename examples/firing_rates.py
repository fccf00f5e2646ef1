"""When and where a network fires: rates per layer and step, silent neurons, spectra of a neuron.

python firing_rates.py [picture.png]     (firing_rates.png by default; some 10 s on one core)

The network is `max_former_digits`, whose weights come with Spikeport; the data are event digits:
simulated events, 32 x 32 pixels.
"""

import sys

import pandas as pd
import torch
from matplotlib.figure import Figure

import spikeport
from spikeport.convert.ops import Neuron
from spikeport.estimate import Spectra, SpectrumReport

STEPS = 4
picture = sys.argv[1] if len(sys.argv) > 1 else "firing_rates.png"
torch.set_num_threads(1)  # layers this small gain nothing from more
test = spikeport.open_data("digits", "test", steps=STEPS)
frames = torch.from_numpy(test.frames[::10]).transpose(0, 1).float()  # [T, B, C, H, W]
network = spikeport.load_model("max_former_digits")
graph = spikeport.trace(network, frames[:, :2].transpose(0, 1), input_domain="graded")

# 1. A tap sees the output of every node as it passes, for all steps and samples, [T, B, *shape].
#    Anything can be measured so: here rates by step, and which neurons fire at all. Of other
#    executors (`lower(graph, "lava", ...).executor()`) a tap shows the same.
rates, silent, sizes = {}, {}, {}


def measure(node, value):
    if isinstance(node.op, Neuron):
        rates[node.path] = value.flatten(1).mean(1).tolist()  # spikes per neuron, by step
        fired = value.flatten(0, 1).any(0)  # in any step of any recording
        silent[node.path], sizes[node.path] = int((~fired).sum()), fired.numel()


spikeport.Interpreter(graph).run(frames, measure)
table = pd.DataFrame(rates, index=[f"step {step}" for step in range(1, STEPS + 1)]).T
table["mean"] = table.mean(axis=1)
table["neurons"], table["silent"] = pd.Series(sizes), pd.Series(silent)
print(f"Spikes per neuron and step, {frames.shape[1]} recordings (simulated events);")
print("silent: neurons that fire in none of them\n")
print(table.to_string(float_format="{:.3f}".format))

# 2. Sparsity: the share of a layer's input that is no event, and what is left of its operations.
#    The two add up to more than 100 where events gather in the middle of a map, to less where a
#    product needs two of them.
counts = spikeport.tally(graph, [frames]).layers
weighted = counts[counts["sop"].notna() & counts["kind"].isin(["conv", "linear", "matmul"])]
sparsity = pd.DataFrame(
    {
        "layer": weighted["path"],
        "reads": weighted["input_domain"],
        "sparsity %": 100 * (1 - weighted["firing_rate_in"]),
        "operations left %": 100 * weighted["sop"] / weighted["dense"],
    }
)
print("\n" + sparsity.to_string(index=False, float_format="{:.1f}".format))

# 3. Spectra: a neuron reads currents and writes spikes, on maps of one size. What does that do to
#    high frequencies? The share above half of Nyquist, before and behind, with the 95 % interval of
#    its change over the recordings. (`spikeport spectrum` does this for every kind of layer.)
spectra = Spectra(graph)
spectra.run(spikeport.Interpreter(graph), frames)
report = SpectrumReport(spectra)
effects = report.each_effect
neurons = effects[(effects["what"] == "neuron") & effects["difference"].notna()]
chosen = neurons.iloc[0]
print("\nShare of power at high frequencies in space, % (only maps of 4 x 4 and more have one)")
for _, row in neurons.iterrows():
    low, high = 100 * row["difference_low"], 100 * row["difference_high"]
    print(f"  {row['where']}, {row['size_after']}: currents {100 * row['before']:.1f},", end=" ")
    print(f"spikes {100 * row['after']:.1f} (change {low:+.1f} to {high:+.1f})")

# 4. All of it in one picture.
figure = Figure(figsize=(13, 4.5), layout="constrained")
left, middle, right = figure.subplots(1, 3, width_ratios=(3, 2, 2))
steps = table[[f"step {step}" for step in range(1, STEPS + 1)]]
image = left.imshow(steps, aspect="auto", cmap="viridis", vmin=0)
left.set_yticks(range(len(steps)), steps.index, fontsize=7)
left.set_xticks(range(STEPS), range(1, STEPS + 1))
left.set_xlabel("time step")
figure.colorbar(image, label="spikes per neuron and step")
middle.barh(range(len(sparsity)), sparsity["sparsity %"])
middle.set_yticks(range(len(sparsity)), sparsity["layer"], fontsize=7)
middle.invert_yaxis()
middle.set_xlabel("input that is no event, %")
before = graph[chosen["node"]].inputs[0]
radial = report.curves[(report.curves["curve"] == "radial") & (report.curves["frequency"] > 0)]
for node, name in ((before, "currents"), (chosen["node"], "spikes")):
    curve = radial[radial["node"] == node]
    right.semilogy(curve["frequency"], curve["value"] / curve["value"].mean(), label=name)
right.axvline(0.5, color="grey", linestyle=":")  # half of Nyquist
right.set_xlabel("frequency / Nyquist")
right.set_ylabel("power, mean 1")
right.set_title(f"around {chosen['where']}", fontsize=8, loc="right")
right.legend()
figure.suptitle("max_former_digits on event digits (simulated events)")
figure.savefig(picture, dpi=120)
print(f"\n{picture} shows it.")
