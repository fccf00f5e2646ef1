"""The `spikeport` command: its subcommands, and how errors and exit codes look."""

from __future__ import annotations

import logging
import os
import sys
from typing import Annotated

import typer

from spikeport import __version__
from spikeport.cli import output
from spikeport.cli.commands import (
    check,
    compare,
    data,
    demo,
    doctor,
    estimate,
    evaluate,
    listing,
    lower,
    patterns,
    report,
    robustness,
    show,
    simulate,
    spectrum,
    stream,
    sweep,
    trace,
    train,
    transfer,
    verify,
)
from spikeport.core.errors import SpikeportError, UsageError

INTERRUPTED = 130

app = typer.Typer(
    name="spikeport",
    help="Carry trained spiking transformers to neuromorphic formats, and say what they cost.",
    epilog="Start with: spikeport demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.run)
app.command("train")(train.run)
app.command("trace")(trace.run)
app.command("show")(show.run)
app.command("check")(check.run)
app.command("verify")(verify.run)
app.command("estimate")(estimate.run)
app.command("spectrum")(spectrum.run)
app.command("transfer")(transfer.run)
app.command("lower")(lower.run)
app.command("simulate")(simulate.run)
app.command("evaluate")(evaluate.run)
app.command("compare")(compare.run)
app.command("sweep")(sweep.run)
app.command("report")(report.run)
app.command("robustness")(robustness.run)
app.command("patterns")(patterns.run)
app.command("stream")(stream.run)
app.add_typer(data.app, name="data")
app.command("list")(listing.run)
app.command("doctor")(doctor.run)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spikeport {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error, and log messages.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of every command."""
    output.state.debug = debug
    output.print_notes()
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, stream=sys.stderr)
    # Third-party libraries explain themselves in warnings that no user of a command can act on.
    if not debug:
        logging.captureWarnings(True)
        logging.getLogger("py.warnings").addHandler(logging.NullHandler())
        logging.getLogger("py.warnings").propagate = False


# typer brings its own click since 0.29 and uses the installed one before.
_WrongUse = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")


def main() -> None:
    """Run the command line.

    Exit codes: 0 all went well; 1 a check failed; 2 wrong use or bad input; 130 interrupted.
    """
    try:
        code = app(standalone_mode=False)
    except SpikeportError as error:
        output.state.reraise_if_debugging(error)
        output.print_error(str(error))
        code = error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        output.print_error("interrupted; nothing half-written is left behind.")
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit) as error:
        # typer and rich make an exit of it.
        if not any(isinstance(each, BrokenPipeError) for each in (error, error.__context__)):
            raise
        # The reader of our output went away (`spikeport list | head`); that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if isinstance(error, _WrongUse):
            error.show()  # type: ignore[attr-defined]
            code = UsageError.exit_code
        else:
            output.state.reraise_if_debugging(error)
            output.print_error(
                f"{type(error).__name__}: {error} This should have been told more clearly; run "
                "spikeport --debug with the same words to see where it comes from."
            )
            code = UsageError.exit_code
    sys.exit(code if isinstance(code, int) else 0)
