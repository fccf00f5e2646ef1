"""`spikeport verify`: is a stored graph, or a lowered network, still what was proven?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.cli.proof import SILENT, compared, notes, proof_lines
from spikeport.cli.settings import names_in
from spikeport.core.errors import CheckFailed, UsageError
from spikeport.core.progress import working

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Certificate, Graph, Seal


def run(
    graph: Annotated[
        str, typer.Argument(help="A graph, *.spg, or the folder of a lowered network.")
    ],
    model: Annotated[
        str | None,
        typer.Option(help="Compare once more with this model: a name, or package.module:factory."),
    ] = None,
    checkpoint: options.Checkpoint = None,
    shape: Annotated[
        str | None,
        typer.Option("--input", help="Shape of a random input; that of the certificate otherwise."),
    ] = None,
    sample: Annotated[
        Path | None, typer.Option(help="Input to compare on, .npy, in the model's layout.")
    ] = None,
    allow_silent: Annotated[
        bool, typer.Option("--allow-silent", help="Accept a proof in which no neuron fired.")
    ] = False,
    backend: Annotated[
        str | None,
        typer.Option(
            help="For a folder: what to run, with commas between; the target's first otherwise."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Re-check a stored graph: its hash, its certificate, and on request the proof itself; or a
    lowered network: every byte of its folder, and every spike of its golden run.

    Exit code 1 if a byte or a spike differs, if the graph is not the one that was proven, if
    nothing was proven (no certificate, or no neuron fired), or if the model given computes
    something else.

    Example: spikeport verify digits.spg

    Example: spikeport verify digits.spg --model max_former_digits

    Example: spikeport verify lowered --backend integer,pump,runtime
    """
    from spikeport.convert import read_seal
    from spikeport.sources import is_stored, open_stored
    from spikeport.targets.artefact import is_artefact

    if is_artefact(graph):
        if model or checkpoint or shape or sample:
            raise UsageError(
                "a lowered network is compared with its own golden run.",
                where=graph,
                fix="Leave out what describes a model or an input.",
            )
        _verify_folder(graph, backend, as_json=as_json)
        return
    if not is_stored(graph):
        raise UsageError(
            "only stored graphs and folders of `spikeport lower` are verified.",
            where=graph,
            fix="Give a *.spg file, or a folder with a manifest.json; from Python, "
            "spikeport.targets.artefact.write_artefact writes one.",
        )
    if backend is not None:
        raise UsageError("a graph has no backends.", where="--backend", fix="Leave it out.")
    if model is None and (checkpoint or shape or sample):
        raise UsageError("there is no model to compare with.", where="--model", fix="Give one.")
    stored = open_stored(graph)
    seal = read_seal(stored)
    result = _Result(graph, seal, _problems(stored, seal, allow_silent))
    if model is not None:
        data = _sample(stored, seal, shape, sample)
        result.compare(stored, model, checkpoint, data, allow_silent=allow_silent)
    if as_json:
        output.print_json(result.as_json())
    else:
        result.print()
    if result.problems:
        raise typer.Exit(1)


def _verify_folder(folder: str, backend: str | None, *, as_json: bool) -> None:
    from spikeport.targets.artefact import verify_artefact

    backends = None if backend is None else names_in(backend)
    with working("Running the golden input again"):
        check = verify_artefact(folder, backends)
    if as_json:
        output.print_json({"folder": folder, **check.as_json()})
    else:
        console, golden = output.console(), check.manifest.golden
        console.print(
            f"{folder}: {len(check.manifest.files)} files for {check.manifest.target}; golden "
            f"run of {golden.samples} samples, {golden.fired:,} spikes fired in {golden.neurons} "
            "layers."
        )
        for parity in check.parities:
            console.print(
                f"{parity.right}: {parity.compared - parity.different:,} of {parity.compared:,} "
                f"spikes equal, outputs within {parity.output_difference:.1g}."
            )
        for name, why in check.skipped.items():
            console.print(f"{name}: not run. {why}")
        for problem in check.problems:
            console.print(f"FAILED: {problem}")
        if check.ok:
            console.print("Verified.")
    if not check.ok:
        raise typer.Exit(1)


def _problems(graph: Graph, seal: Seal | None, allow_silent: bool) -> list[str]:
    from spikeport.convert.seal import is_of

    if seal is None:
        lowered = "float_certificate" in graph.metadata
        why = "it was lowered; the proof of the float graph is in that graph's own file"
        return [f"It has no certificate{f': {why}' if lowered else ''}."]
    problems = []
    if not is_of(seal, graph):
        problems.append(
            "The certificate is of another graph: this one was changed after it was proven."
        )
    if seal.is_silent and not allow_silent:
        problems.append(f"{SILENT} --allow-silent accepts it.")
    return problems


def _sample(graph: Graph, seal: Seal | None, shape: str | None, file: Path | None) -> Tensor:
    from spikeport.cli.sources import parse_shape, read_sample, sample_like

    if file is not None and shape is not None:
        raise UsageError("an input is given already.", where="--input", fix="Leave one out.")
    if file is not None:
        return read_sample(file)
    if shape is None and seal is None:
        raise UsageError(
            "the graph has no certificate to take the input's shape from.",
            where="--input",
            fix="Give a shape, or a file with --sample.",
        )
    # What the file says is checked like what a user types: it must not take the machine's memory.
    text = ",".join(map(str, seal.certificate.input_shape)) if shape is None and seal else shape
    return sample_like(parse_shape(text or ""), str(graph.input.domain))


@dataclass
class _Result:
    graph: str
    seal: Seal | None
    problems: list[str] = field(default_factory=list)
    again: Certificate | None = None

    def compare(
        self,
        graph: Graph,
        model: str,
        checkpoint: Path | None,
        sample: Tensor,
        *,
        allow_silent: bool,
    ) -> None:
        """Run the model and the graph on the sample once more."""
        from spikeport.convert import verify
        from spikeport.sources import open_model

        net = open_model(model, checkpoint)
        try:
            with working("Comparing"):
                self.again = verify(net, graph, sample)
        except CheckFailed as error:
            self.problems.append(f"{model} computes something else: {error}")
            return
        if self.again.fired == 0 and not allow_silent:
            self.problems.append(f"{SILENT} --allow-silent accepts it.")

    @property
    def same_input(self) -> bool:
        """Whether the comparison was made on the certificate's own input."""
        made = None if self.seal is None else self.seal.certificate.input_sha256
        return self.again is not None and self.again.input_sha256 == made

    def as_json(self) -> dict[str, Any]:
        return {
            "graph": self.graph,
            "ok": not self.problems,
            "problems": self.problems,
            "certificate": None if self.seal is None else self.seal.as_json(),
            "compared_again": None if self.again is None else self.again.as_json(),
            "same_input": self.same_input,
        }

    def print(self) -> None:
        console = output.console()
        console.print(f"{self.graph}: the file is whole (SHA-256).")
        for line in proof_lines(self.seal):
            console.print(f"Certificate: {line}")
        if self.again is not None:
            which = "the certificate's own input" if self.same_input else "another input"
            console.print(f"Compared again on {which}: {compared(self.again)}")
            for line in notes(self.again):
                console.print(line)
        for problem in dict.fromkeys(self.problems):
            console.print(f"FAILED: {problem}")
        if not self.problems:
            console.print("Verified.")
