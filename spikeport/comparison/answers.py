"""Single samples of an evaluation: its `predictions.csv`."""

from __future__ import annotations

import io

import pandas as pd

from spikeport.comparison.rows import Answers
from spikeport.estimate.formats import PREDICTIONS
from spikeport.report.artefacts import EvaluationArtefact
from spikeport.report.artefacts.reading import read_text, unusable

_KIND = "table of predictions"


def read_answers(artefact: EvaluationArtefact) -> dict[str, Answers]:
    """By target; nothing where the table is not there.

    Raises:
        FileError: the table cannot be read, or is not that of the evaluation.
    """
    path = artefact.source / PREDICTIONS
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(io.StringIO(read_text(path, _KIND)), dtype={"sample": str})
        samples, labels = tuple(table["sample"]), tuple(table["label"].astype(int))
        found = {
            target: Answers(
                samples, labels, tuple(map(bool, table[_column(target)].eq(table["label"])))
            )
            for target in artefact.content.targets
        }
    except (ValueError, KeyError, pd.errors.ParserError) as error:
        raise unusable(path, _KIND, f"{error}"[:200]) from error
    for target, answers in found.items():
        told = artefact.content.targets[target].correct, artefact.content.samples
        if (sum(answers.hits), len(answers.hits)) != told:
            raise unusable(path, _KIND, f"it is not that of the evaluation, by {target}")
    return found


def _column(target: str) -> str:
    return f"prediction[{target}]"
