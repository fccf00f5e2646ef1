"""The certificate in a graph: bound to what the graph computes, with the versions that made it."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from spikeport.convert.graph import Graph
from spikeport.convert.parity import Certificate
from spikeport.convert.storage import fingerprint
from spikeport.core.checking import problems
from spikeport.core.errors import FileError
from spikeport.core.versions import installed_versions

CERTIFICATE = "certificate"
_PACKAGES = ("spikeport", "torch", "spikingjelly", "numpy")


@dataclass(frozen=True)
class Seal:
    """A certificate as it is stored.

    Attributes:
        graph_sha256: fingerprint of the graph that was proven.
        versions: of Python and the packages that took part.
    """

    certificate: Certificate
    graph_sha256: str
    versions: dict[str, str]

    @property
    def is_silent(self) -> bool:
        """Whether no neuron fired: then equal spikes prove nothing."""
        return self.certificate.fired == 0

    def as_json(self) -> dict[str, Any]:
        """The fields of the certificate, `graph_sha256` and `versions`."""
        return {
            **self.certificate.as_json(),
            "graph_sha256": self.graph_sha256,
            "versions": self.versions,
        }


def seal(graph: Graph, certificate: Certificate) -> None:
    """Store a certificate in the graph that it was made for."""
    bound = Seal(certificate, fingerprint(graph), _versions())
    graph.metadata[CERTIFICATE] = bound.as_json()


def read_seal(graph: Graph) -> Seal | None:
    """The stored certificate, None if there is none.

    Raises:
        FileError: what is stored is no certificate.
    """
    stored = graph.metadata.get(CERTIFICATE)
    if stored is None:
        return None
    own = {field.name for field in fields(Certificate)}
    try:
        content = dict(stored)
        certificate = {key: content.pop(key) for key in own & content.keys()}
        return TypeAdapter(Seal).validate_json(
            json.dumps({"certificate": certificate, **content}), strict=True, extra="forbid"
        )
    except (ValidationError, TypeError, ValueError) as error:
        told = problems(error, most=3) if isinstance(error, ValidationError) else str(error)
        raise FileError(
            f"the certificate in this graph is damaged: {told}.",
            where="certificate",
            fix="Trace the model again.",
        ) from error


def is_of(seal: Seal, graph: Graph) -> bool:
    """Whether the graph is the one that was proven, bit by bit."""
    return seal.graph_sha256 == fingerprint(graph)


def _versions() -> dict[str, str]:
    missing = dict.fromkeys(("python", *_PACKAGES), "not installed")
    return missing | installed_versions(_PACKAGES)
