"""What the page's script needs: charts and data, each under an id of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Chart:
    """A chart and its words.

    Attributes:
        title: above it.
        description: what it shows, for a reader who does not see it.
        dataset: data that the script fills in, under this id; "" if the chart has its own.
    """

    id: str
    title: str
    description: str
    dataset: str = ""


@dataclass
class Assets:
    """Collected while sections are built.

    Attributes:
        subject: number of the network that is built at the moment.
    """

    subject: int = 0
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)

    def chart(self, spec: dict[str, Any], title: str, description: str, dataset: str = "") -> Chart:
        """Keep a Vega-Lite chart."""
        name = f"chart{len(self.specs)}"
        self.specs[name] = spec
        return Chart(name, title, description, dataset)

    def keep(self, what: str, value: Any) -> str:
        """Keep data of the current network for the script; returns their id."""
        name = f"{what}-{self.subject}"
        self.data[name] = value
        return name
