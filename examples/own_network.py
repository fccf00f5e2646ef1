"""A SpikingJelly network of your own: trained, traced, proven, counted, lowered, exported.

python own_network.py [folder]     (writes to own_network/ by default; some 10 s on one core)

The data are the event digits that come with Spikeport: simulated events, 32 x 32 pixels.
"""

import sys
from pathlib import Path

import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn
from torch.nn.functional import cross_entropy

import spikeport
from spikeport.estimate import DataInfo, estimate
from spikeport.targets import TARGETS
from spikeport.targets.artefact import verify_artefact, write_artefact
from spikeport.targets.fidelity import fidelity

STEPS = 4
folder = Path(sys.argv[1] if len(sys.argv) > 1 else "own_network")
torch.manual_seed(0)
torch.set_num_threads(1)  # layers this small gain nothing from more


# 1. Data and network: nothing here is Spikeport's but the digits. SpikingJelly's multi-step layers
#    take time first, [T, B, C, H, W]; data sets hold [N, T, C, H, W].
def frames_of(data, indices):
    return torch.from_numpy(data.frames[indices]).transpose(0, 1).float()


def spikes():
    return neuron.LIFNode(surrogate_function=surrogate.ATan(), detach_reset=True)


train = spikeport.open_data("digits", "train", steps=STEPS)
test = spikeport.open_data("digits", "test", steps=STEPS)
net = nn.Sequential(
    layer.Conv2d(2, 8, 3, stride=2, padding=1, bias=False),
    layer.BatchNorm2d(8),
    spikes(),
    layer.Conv2d(8, 16, 3, stride=2, padding=1, bias=False),
    layer.BatchNorm2d(16),
    spikes(),
    layer.Flatten(),
    layer.Linear(16 * 8 * 8, 10),
    spikes(),
)
functional.set_step_mode(net, "m")
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for _ in range(60):
    chosen = torch.randint(len(train), (32,))
    rates = net(frames_of(train, chosen)).mean(0)  # [B, 10], spikes per step
    loss = cross_entropy(10 * rates, torch.from_numpy(train.labels)[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    functional.reset_net(net)
net.eval()

# 2. The graph: what happens in one time step. `trace` proves it on the frames that it is given,
#    in float64; `verify` proves it again on others. Frames of events hold counts: "graded". That
#    decides what the first layer costs.
seen, labels = frames_of(test, range(0, 1000, 5)), torch.from_numpy(test.labels[::5])
graph = spikeport.trace(net, seen[:, :4], input_domain="graded")
proof = spikeport.verify(net, graph, seen)
print(f"graph: {len(graph)} nodes; {proof.spikes:,} spikes equal to the network's")
print(f"       in {proof.neurons} layers, {proof.fired:,} of them 1; silent: {proof.silent or '-'}")

# 3. What it costs, counted on the same recordings. The interval covers the recordings, not another
#    training of the network.
told = DataInfo("event digits", "test, every fifth", test.provenance)
report = estimate(spikeport.Interpreter(graph), [(seen, labels)], "horowitz45-fp32", data=told)
total, accuracy = report.totals, report.accuracy
print(f"\naccuracy {100 * accuracy.top1:.1f} % of {accuracy.count} recordings (simulated events)")
print(
    f"{total['sop']:,.0f} synaptic operations, {total['energy_uJ']:.4f} uJ per recording", end=" "
)
print(f"(95 %: {total['energy_uJ_low']:.4f} to {total['energy_uJ_high']:.4f}) by {report.model.id}")
columns = ["path", "kind", "input_domain", "firing_rate_in", "sop", "energy_uJ", "energy_share"]
print(report.layers[columns].to_string(index=False, float_format="{:.4g}".format))
report.to_csv(folder / "layers.csv")

# 4. Lava's whole numbers. Scales are chosen by recordings of the training split, since those of the
#    test split must not set them. `fidelity` compares float graph, integer arithmetic and Lava's
#    own process models; only the step to whole numbers may change a spike.
lowered = spikeport.lower(graph, "lava", calibration=frames_of(train, range(0, 4000, 20)))
backends = ["integer"] if TARGETS["lava"].missing() else ["integer", "pump"]
parity = fidelity(graph, lowered, seen[:, :5], backends=backends)
print("\n" + parity.table()[["stage", "layer", "compared", "different", "alone"]].to_string())
assert parity.ok, [stage.problems for stage in parity.stages]
integer = lowered.run(seen).outputs.mean(0).argmax(1)  # outputs are spikes, [T, B, 10]
print(f"accuracy in whole numbers {100 * (integer == labels).float().mean():.1f} %")
write_artefact(lowered, seen[:, :5], folder / "lava", parity)

# 5. The same graph for others to read. `check` says beforehand what becomes of each node.
for target in ("nir", "onnx"):
    verdicts = spikeport.check(graph, target)
    exported = spikeport.lower(graph, target)
    parity = fidelity(graph, exported, seen[:, :5])
    assert parity.ok, [stage.problems for stage in parity.stages]
    write_artefact(exported, seen[:, :5], folder / target, parity)
    print(f"{target}: {verdicts.counts}; run by {', '.join(exported.backends)}")

# 6. The files prove themselves: hashes, then the golden input again, spike by spike.
for target in ("lava", "nir", "onnx"):
    found = verify_artefact(folder / target)
    assert found.ok, found.problems
    print(f"{folder / target}: {sum(each.compared for each in found.parities):,} spikes again")
