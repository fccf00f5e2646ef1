"""What can be chosen about the lowering."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spikeport.targets.lava.limits import WEIGHT_BITS
from spikeport.targets.options import TargetOptions

Search = Literal["none", "bias", "weights"]


class LoweringOptions(TargetOptions):
    """Options of `lower`.

    Args:
        weight_bits: width of a weight with sign, before the exponent of its output channel.
        input_max: largest event count per pixel and step that the network must stand. If not
            given: 1 for spike input, else twice what calibration frames hold, up to 2^n - 1.
        input_bits: width of a real-valued input with sign.
        input_range: largest magnitude of a real-valued input; what exceeds it is clipped. If not
            given: the largest in the calibration frames.
        headroom: `static` proves that no sum can overflow, whatever the input; `observed` lets
            scales grow until the largest sum seen in calibration, times `margin`, fits.
        margin: factor between the largest sum seen and the limit, for `observed`.
        extra_bits: how far scales may exceed what the weights need, if there is head-room;
            finer thresholds and biases are the gain.
        count_shift: how far attention counts are shifted before a neuron compares them.
        percentile: for `observed`: the largest sum is taken to be that which this percentage of
            those seen stays within; 100 is the maximum.
        search: what calibration frames choose beside scales. `none`: each weight is rounded to the
            nearest number; `bias`: what that changes in the mean of each current is taken off its
            bias; `weights`: weights of one neuron are rounded together, so that their errors
            cancel, and clipped where that leaves a smaller error. Without frames it is `none`.
    """

    weight_bits: int = Field(default=8, ge=WEIGHT_BITS.start, le=WEIGHT_BITS.stop - 1)
    input_max: int | None = Field(default=None, ge=1)
    input_bits: int = Field(default=8, ge=2, le=16)
    input_range: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    headroom: Literal["static", "observed"] = "static"
    margin: float = Field(default=2.0, ge=1.0)
    extra_bits: int = Field(default=3, ge=0, le=8)
    count_shift: int = Field(default=6, ge=0, le=12)
    percentile: float = Field(default=100.0, gt=50.0, le=100.0)
    search: Search = "weights"
