"""Whether a network can be on a chip."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.estimate.capacity.schema import Chip


@dataclass(frozen=True)
class Overflow:
    """Something that is needed beyond a limit.

    Attributes:
        where: module path, or "network".
        what: the resource.
        needed, limit: in its unit.
    """

    where: str
    what: str
    needed: int
    limit: int

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.needed:,} of {self.limit:,}"


@dataclass(frozen=True)
class LayerFit:
    """What one layer needs of a chip when alone on its cores.

    Attributes:
        cores: at least.
        bound_by: the resource that asks for as many.
    """

    node: str
    path: str
    kind: str
    cores: int
    bound_by: str


@dataclass(frozen=True)
class Fit:
    """What a network needs of a chip.

    Attributes:
        cores: at least; a lower bound, so that only "does not fit" is proven.
        bound_by: the resource that asks for as many.
        layers: each alone.
        overflows: what exceeds a limit that more cores do not raise, and the cores themselves.
    """

    chip: Chip
    cores: int
    bound_by: str
    layers: tuple[LayerFit, ...]
    overflows: tuple[Overflow, ...]

    @property
    def chips(self) -> int:
        """At least."""
        return -(-self.cores // self.chip.cores_per_chip)

    @property
    def ruled_out(self) -> bool:
        """Whether one chip cannot hold the network."""
        return bool(self.overflows)

    @property
    def verdict(self) -> str:
        """One line."""
        cores = f"{self.cores:,} core{'s' if self.cores > 1 else ''}"
        chips = f"{self.chips:,} chip{'s' if self.chips > 1 else ''}"
        limit = f"{self.chip.cores_per_chip:,}"
        bound = f"needs at least {cores} of {limit} ({self.bound_by}; at least {chips})"
        local = [each for each in self.overflows if each.where != "network"]
        if local:
            bound += f"; {len(local)} limit{'s' if len(local) > 1 else ''} of a core exceeded"
        return f"{'does not fit' if self.ruled_out else 'not ruled out'}: {bound}"
