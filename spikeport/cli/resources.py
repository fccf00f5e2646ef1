"""What a lowered network asks of chips, by the widths that were chosen for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spikeport.cli import output

if TYPE_CHECKING:
    from rich.table import Table

    from spikeport.targets.lowered import Lowered

CHIPS = ("loihi1", "loihi2")
"""Chips with the arithmetic of Lava."""
MESSAGE_BITS = 24
"""Graded values between processes, with sign."""


def resources(lowered: Lowered) -> dict[str, Any] | None:
    """Neurons, synapses and bytes of a network on Lava, steps by which its last neurons lag behind
    the input, cores of each chip at least, and how far weights, biases and sums are from the widths
    of a chip; None for other targets."""
    from spikeport.estimate.capacity import fit_chips
    from spikeport.targets.lava import LavaArtefact, limits

    if not isinstance(lowered, LavaArtefact):
        return None
    bits = int(lowered.graph.metadata["lava"]["options"]["weight_bits"])
    found = fit_chips(lowered.graph, CHIPS)
    biases = [row.value for row in lowered.report.figure("bias mantissa")]
    reads = [row.value for row in lowered.report.figure("head-room, proven")]
    return {
        "latency_steps": lowered.latency,
        "neurons": found.needs.total("neurons"),
        "synapses": found.needs.total("synapses"),
        "weights": found.needs.total("weights"),
        "weight_bytes": sum(layer.weight_bytes(bits) for layer in found.needs.layers),
        "left_out": list(found.needs.left_out),
        "chips": {
            fit.chip.id: {
                "cores_at_least": fit.cores,
                "cores": fit.chip.cores_per_chip,
                "bound_by": fit.bound_by,
                "ruled_out": fit.ruled_out,
                "overflows": [str(each) for each in fit.overflows],
                "unverified_limits": len(fit.chip.unverified),
            }
            for fit in found.fits
        },
        "widths": [
            _width("weights", bits, limits.CHIP_WEIGHT_BITS),
            _width("biases", _bits(biases), limits.CHIP_BIAS_LIMIT.bit_length() + 1),
            _width("sums, proven", _bits(reads), MESSAGE_BITS),
        ],
    }


def resource_table(found: dict[str, Any]) -> Table:
    """One row per resource or limit."""
    late = found["latency_steps"]
    rows = [
        ["latency in steps", f"{late:,}", "-", f"a sample of T steps takes T + {late:,}"],
        ["neurons", f"{found['neurons']:,}", "-", ""],
        ["synapses", f"{found['synapses']:,}", "-", ""],
        ["weights", f"{found['weights']:,} ({found['weight_bytes']:,} bytes)", "-", ""],
    ]
    for each in found["widths"]:
        verdict = "fits" if each["fits"] else "exceeds the chip: runs in simulation only"
        rows.append([f"bits of {each['what']}", str(each["bits"]), str(each["limit"]), verdict])
    for name, fit in found["chips"].items():
        verdict = "does not fit" if fit["ruled_out"] else "not ruled out"
        verdict += f" ({fit['bound_by']}; {fit['unverified_limits']} limits unverified)"
        cores = f"{fit['cores_at_least']:,} or more"
        rows.append([f"cores of {name}", cores, f"{fit['cores']:,}", verdict])
    left_out = len(found["left_out"])
    rows.append(
        [
            "nodes without counterpart",
            str(left_out),
            "-",
            "not in these figures; see resources.json",
        ]
    )
    columns = ["resource", "needed", "limit", ""]
    return output.table("Resources (lower bounds)", columns, rows, right=("needed", "limit"))


def _bits(values: list[float]) -> int:
    """Width with sign of the largest magnitude."""
    return int(max(values, default=0.0)).bit_length() + 1


def _width(what: str, bits: int, limit: int) -> dict[str, Any]:
    return {"what": what, "bits": bits, "limit": limit, "fits": bits <= limit}
