"""The course of a run, for people and their tools."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spikeport.core.files import write_text
from spikeport.train.state import EpochReport

CSV_FILE, TENSORBOARD_FOLDER = "log.csv", "tensorboard"


class RunLog:
    """Writes `log.csv`, one row per epoch, and TensorBoard's events where asked for.

    Args:
        folder: of the run.
        tensorboard: also write `tensorboard/`.
        done: epochs that were there before; TensorBoard forgets what an interrupted run wrote
            after them.
    """

    def __init__(self, folder: Path, *, tensorboard: bool, done: int) -> None:
        self._file = folder / CSV_FILE
        self._writer: Any = None
        if tensorboard:
            # Late, since it is slow.
            from torch.utils.tensorboard import SummaryWriter

            place = str(folder / TENSORBOARD_FOLDER)
            self._writer = SummaryWriter(place, purge_step=done + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, history: list[EpochReport]) -> None:
        """Tell the last epoch; the table is written whole, so that it is never half a row."""
        text = io.StringIO()
        table = csv.DictWriter(text, list(EpochReport.model_fields), lineterminator="\n")
        table.writeheader()
        table.writerows(report.model_dump() for report in history)
        write_text(self._file, text.getvalue())
        if self._writer is not None:
            last = history[-1].model_dump(exclude={"epoch"}, exclude_none=True)
            for name, value in last.items():
                self._writer.add_scalar(name, value, history[-1].epoch)
            self._writer.flush()
