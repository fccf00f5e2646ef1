"""Feedback over time: a module whose forward is a loop over time steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.core.errors import UnsupportedError


class TimeLoop(nn.Module):
    """Runs `step` once per time step and hands each step the feedback that the last one returned.

        f[0] = 0;   y[t], f[t + 1] = step(x[t], f[t])

    Subclass it, define `step`, and leave `forward` alone: training runs the loop below, and the
    tracer follows `step` once and closes the loop with a delay of one step, so that the graph has
    the same body for any number of time steps. What `step` returns as feedback is what is
    delayed, so a feedback batch norm belongs *into* `step`, in front of the return: f[0] is zero,
    and nothing is added at the first step (a delay in front of the batch norm would add its bias).

        class Feedback(TimeLoop):
            def step(self, current, feedback):
                spikes = self.lif(current + feedback)
                return spikes, self.norm(self.conv(spikes))

    Inside `step` all tensors are of one time step, `[B, ...]`, and neurons run in single-step
    mode: `forward` sets it on every submodule that has a `step_mode`, so that
    `functional.set_step_mode(model, "m")` does no harm. State other than the feedback lives in
    neurons only, and what `step` computes must not depend on t: constants that differ between
    steps are added to the whole sequence outside the loop.
    """

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        """One time step.

        Args:
            current: what the module reads at this step, `[B, ...]`.
            feedback: what the last step returned, zero at the first; `[B, ...]`.

        Returns:
            what the module emits at this step, and the feedback for the next one, of the shape
            that `no_feedback` has.
        """
        raise TypeError(f"{type(self).__name__} defines no step")

    def no_feedback(self, current: Tensor) -> Tensor:
        """Zeros in the shape of the feedback; that of `current` unless a subclass says otherwise.

        Args:
            current: what the module reads at the first step, `[B, ...]`.
        """
        return torch.zeros_like(current)

    def forward(self, currents: Tensor) -> Tensor:
        """The loop: `[T, B, ...]` in, `[T, B, ...]` out.

        Raises:
            UnsupportedError: the feedback that `step` returns has not the shape of `no_feedback`.
        """
        self.hold_single_step()
        feedback = self.no_feedback(currents[0])
        outputs = []
        for current in currents:
            output, returned = self.step(current, feedback)
            if returned.shape != feedback.shape:
                raise UnsupportedError(
                    f"its step takes feedback {list(feedback.shape)}, but returns "
                    f"{list(returned.shape)}.",
                    where=type(self).__name__,
                    fix="Return feedback of one shape, and override no_feedback if it is not that "
                    "of the current.",
                )
            feedback = returned
            outputs.append(output)
        return torch.stack(outputs)

    def hold_single_step(self) -> None:
        """Set every submodule that has a step mode to single-step."""
        for module in self.modules():
            if module is not self and hasattr(module, "step_mode"):
                module.step_mode = "s"  # type: ignore[assignment]
