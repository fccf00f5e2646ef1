"""What lowering to NIR did."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spikeport.convert.check import CheckReport, Status
from spikeport.targets.nir.mark import Mark
from spikeport.targets.nir.options import NirOptions

_CONFIG = ConfigDict(extra="forbid", frozen=True)


class Proof(BaseModel):
    """The graph against what is read back from its file, in float64.

    Attributes:
        spikes: 0/1 values compared, over all neuron layers, steps and samples.
        fired: how many of them were 1.
        different: how many were not equal ('spikes that differ').
        output_difference: largest difference of the outputs.
        generated: whether the frames were drawn at random, none being given.
    """

    model_config = _CONFIG

    neurons: int = Field(ge=0)
    spikes: int = Field(ge=0)
    fired: int = Field(ge=0)
    different: int = Field(ge=0)
    output_difference: float = Field(ge=0)
    generated: bool


class Change(BaseModel):
    """A node that is not written as it is."""

    model_config = _CONFIG

    node: str
    path: str
    op: str
    status: Status
    by: str
    how: str

    def __str__(self) -> str:
        said = f"{self.status} ({self.by})" if self.by else str(self.status)
        return f"{self.path or self.node} ({self.op}): {said}: {self.how}."


class NirReport(BaseModel):
    """Options, what became of nodes that NIR does not have as they are, and the proof.

    Attributes:
        mark: what the file itself says.
        certificate: of the graph that was lowered, None if it had none.
    """

    model_config = _CONFIG

    options: NirOptions
    mark: Mark
    changes: tuple[Change, ...]
    proof: Proof
    certificate: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """`{options, mark, changes: [{node, path, op, status, by, how}], proof, certificate}`."""
        return self.model_dump(mode="json")

    def warnings(self) -> list[str]:
        """What a reader of the file can get wrong, and what was not carried to the last bit."""
        found = [str(each) for each in self.changes if each.status is Status.APPROXIMATE]
        if self.mark.extensions:
            kinds = ", ".join(self.mark.extensions)
            found.append(f"Only Spikeport reads this file: it holds extensions ({kinds}).")
        elif self.mark.fires == "at":
            found.append(
                "A membrane that meets its threshold exactly fires; NIR says it does not. "
                "SpikingJelly and sinabs fire, snnTorch and Norse do not."
            )
        if self.mark.readout != "none":
            found.append(
                f"The file gives outputs for each time step; their {self.mark.readout} over time "
                "is left to its reader."
            )
        if not self.proof.fired:
            found.append("Nothing proven: no neuron fired on the frames that were compared.")
        return found


def changes(report: CheckReport) -> tuple[Change, ...]:
    """The nodes that are not written as they are."""
    return tuple(
        Change(
            node=verdict.node,
            path=verdict.path,
            op=verdict.op,
            status=verdict.status,
            by=verdict.by,
            how=verdict.how,
        )
        for verdict in report.verdicts
        if verdict.status is not Status.EXACT
    )
