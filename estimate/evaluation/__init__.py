"""What networks get right on data, on any executor, and what that costs: one file per figure.

    found = evaluate({"float": Interpreter(graph)}, batches, energy="horowitz45-fp32", curve=True)
    print(found.table(), found.curve())

`docs/evaluation.md` says what each figure means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.estimate.evaluation.answers import Accuracy, AccuracyResult, accuracy
    from spikeport.estimate.evaluation.api import evaluate
    from spikeport.estimate.evaluation.readout import ReadOut
    from spikeport.estimate.evaluation.result import Evaluation, TargetResult

_WHERE = {
    "Accuracy": "answers",
    "AccuracyResult": "answers",
    "Evaluation": "result",
    "ReadOut": "readout",
    "TargetResult": "result",
    "accuracy": "answers",
    "evaluate": "api",
}

__all__ = [
    "Accuracy",
    "AccuracyResult",
    "Evaluation",
    "ReadOut",
    "TargetResult",
    "accuracy",
    "evaluate",
]

__getattr__ = lazy(__name__, _WHERE)
