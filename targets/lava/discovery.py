"""How Lava's compiler finds the model of a process.

lava-nc 0.10.0 looks for models by executing every file beside the process, once per file beside
it and again for every process. The answer depends on the class alone, so it is kept; and a model
that stands in the module of its process, as all of ours do, is found without executing anything.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def remembered_models() -> Iterator[None]:
    """Within this block Lava searches once per class of process."""
    from lava.magma.compiler.compiler_graphs import (
        ProcGroupDiGraphs,
    )

    search: Any = ProcGroupDiGraphs._find_proc_models
    beside: Any = ProcGroupDiGraphs._find_proc_models_in_module
    found: dict[type[Any], list[type[Any]]] = {}

    def models(proc: Any) -> list[type[Any]]:
        cls = type(proc)
        if cls not in found:
            found[cls] = beside(proc, sys.modules[cls.__module__]) or search(proc)
        return found[cls]

    ProcGroupDiGraphs._find_proc_models = staticmethod(models)
    try:
        yield
    finally:
        ProcGroupDiGraphs._find_proc_models = staticmethod(search)
