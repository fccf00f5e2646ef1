"""The part of Lava that processes are made of, with types (Lava has none)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int32]

if TYPE_CHECKING:
    Class = TypeVar("Class", bound=type[Any])

    class AbstractProcess:
        name: str

        def __init__(self, **proc_params: Any) -> None: ...

    class InPort:
        def __init__(self, shape: tuple[int, ...]) -> None: ...

    class OutPort:
        def __init__(self, shape: tuple[int, ...]) -> None: ...
        def connect(self, port: InPort) -> None: ...

    class PyInPort:
        VEC_DENSE: Any

        def recv(self) -> Integers: ...

    class PyOutPort:
        VEC_DENSE: Any
        shape: tuple[int, ...]

        def send(self, data: npt.NDArray[Any]) -> None: ...

    class PyLoihiProcessModel:
        time_step: int
        proc_params: Any

        def __init__(self, proc_params: Any = None) -> None: ...
        def run_spk(self) -> None: ...

    class LoihiProtocol: ...

    CPU: Any

    LavaPyType: Any

    def implements(proc: type[Any], protocol: type[Any]) -> Callable[[Class], Class]: ...
    def requires(*resources: Any) -> Callable[[Class], Class]: ...
    def tag(*tags: str) -> Callable[[Class], Class]: ...

else:
    from lava.magma.core.decorator import implements, requires, tag
    from lava.magma.core.model.py.model import PyLoihiProcessModel
    from lava.magma.core.model.py.ports import PyInPort, PyOutPort
    from lava.magma.core.model.py.type import LavaPyType
    from lava.magma.core.process.ports.ports import InPort, OutPort
    from lava.magma.core.process.process import AbstractProcess
    from lava.magma.core.resources import CPU
    from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

__all__ = [
    "CPU",
    "AbstractProcess",
    "InPort",
    "Integers",
    "LavaPyType",
    "LoihiProtocol",
    "OutPort",
    "PyInPort",
    "PyLoihiProcessModel",
    "PyOutPort",
    "implements",
    "requires",
    "tag",
]
