"""What a pickle would do, found out without doing it.

`torch.load` makes room for whatever sizes a file claims, and reads on into the neighbouring bytes
where a storage is shorter than claimed. So the operations are walked through first, on stand-ins:
nothing is imported, called or allocated here.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch

_ITEM_BYTES = {
    "torch DoubleStorage": 8,
    "torch FloatStorage": 4,
    "torch HalfStorage": 2,
    "torch BFloat16Storage": 2,
    "torch LongStorage": 8,
    "torch IntStorage": 4,
    "torch ShortStorage": 2,
    "torch CharStorage": 1,
    "torch ByteStorage": 1,
    "torch BoolStorage": 1,
    "torch ComplexDoubleStorage": 16,
    "torch ComplexFloatStorage": 8,
    "torch.storage UntypedStorage": 1,
}
_PARAMETER = "torch._utils _rebuild_parameter"
_TENSORS = frozenset({"torch._utils _rebuild_tensor", "torch._utils _rebuild_tensor_v2"})
# Narrower than what weights_only=True lets through: no constructor that allocates by a number.
_HARMLESS = (
    frozenset(
        {
            "collections OrderedDict",
            "collections Counter",
            _PARAMETER,
            "torch Size",
            "torch device",
            "_codecs encode",
            "builtins set",
            "builtins complex",
            "argparse Namespace",
            "numpy dtype",
            "numpy.core.multiarray scalar",
            "numpy._core.multiarray scalar",
        }
        | {f"torch {name}" for name, v in vars(torch).items() if isinstance(v, torch.dtype)}
    )
    | _TENSORS
    | _ITEM_BYTES.keys()
)


@dataclass(frozen=True)
class Global:
    """An importable name that the pickle asks for, as "module name"."""

    name: str


@dataclass(frozen=True)
class Storage:
    """The numbers behind one or more tensors.

    Attributes:
        key: how the file calls it.
        item_bytes: bytes of one element.
        elements: how many there are.
    """

    key: str
    item_bytes: int
    elements: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.item_bytes * self.elements


_TENSOR = object()
"""Stands for a tensor or parameter."""


@dataclass
class Scan:
    """What a pickle asks for.

    Attributes:
        foreign: names that are not on the list of harmless ones, as "module.name".
        storages: by key.
        result: what the pickle leaves, as far as it is made of lists, tuples and plain values.
    """

    foreign: set[str] = field(default_factory=set)
    storages: dict[str, Storage] = field(default_factory=dict)
    result: Any = None


class DamagedPickle(ValueError):
    """Not a well-formed pickle of tensors; the message says what is wrong."""


def scan(stream: BinaryIO) -> Scan:
    """Walk through the pickle that begins at `stream`'s position; it is left behind the end.

    Raises:
        DamagedPickle: malformed, or tensors that reach beyond their storages.
    """
    machine = _Machine()
    try:
        for operation, argument, _ in pickletools.genops(stream):
            handler = _HANDLERS.get(operation.name)
            if handler is None:
                # Newer protocols import by STACK_GLOBAL; torch.save writes none of these.
                machine.found.foreign.add(f"pickle operation {operation.name}")
                return machine.found
            handler(machine, argument)
    except (ValueError, IndexError, KeyError, TypeError, struct.error) as error:
        # Names that could run code are the more important finding.
        if not machine.found.foreign:
            raise DamagedPickle(f"its list of tensors is damaged: {error}") from error
    return machine.found


class _Machine:
    """The stack of the unpickler, holding stand-ins."""

    def __init__(self) -> None:
        self.found = Scan()
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marked.pop()
        return items

    def mark(self, _: Any) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise IndexError("a tuple of things that are not there")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def append(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(items)

    def import_name(self, name: str) -> None:
        # Protocol 2 speaks of Python 2's modules.
        name = name.replace("__builtin__ ", "builtins ", 1)
        if name not in _HARMLESS:
            self.found.foreign.add(".".join(name.split(" ", 1)))
        self.push(Global(name))

    def call(self, _: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        name = called.name if isinstance(called, Global) else ""
        if name in _TENSORS:
            _check_tensor(*arguments[:4])
        if name == "_codecs encode" and arguments[1:] != ("latin1",):
            self.found.foreign.add("_codecs.encode with another encoding than latin1")
        self.push(_TENSOR if name in _TENSORS or name == _PARAMETER else None)

    def build(self, _: Any) -> None:
        self.stack.pop()
        # Torch would give it another storage and shape, of any size.
        if self.stack[-1] is _TENSOR:
            raise DamagedPickle("it changes a tensor after it was made")

    def persistent(self, _: Any) -> None:
        kind, storage, key, _, elements, *view = self.stack.pop()
        if kind != "storage" or not isinstance(storage, Global) or not isinstance(key, str):
            raise DamagedPickle("it refers to something that is no storage")
        if storage.name not in _ITEM_BYTES or not _is_count(elements):
            raise DamagedPickle(f"storage {key} is of an unknown type or length")
        whole = Storage(key, _ITEM_BYTES[storage.name], elements)
        if self.found.storages.setdefault(key, whole) != whole:
            raise DamagedPickle(f"storage {key} is told to be of two lengths")
        self.push(_viewed(whole, view[0]) if view and view[0] is not None else whole)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _viewed(whole: Storage, view: Any) -> Storage:
    key, offset, elements = view
    if not _is_count(offset) or not _is_count(elements) or offset + elements > whole.elements:
        raise DamagedPickle(f"a view of storage {whole.key} reaches beyond its end")
    return Storage(str(key), whole.item_bytes, elements)


def _check_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> None:
    counts = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(_is_count(count) for count in counts):
        raise DamagedPickle("a tensor has no storage, or a shape that cannot be")
    steps = (size - 1 for size in shape)
    last = offset + sum(step * stride for step, stride in zip(steps, strides, strict=True))
    if 0 not in shape and last >= storage.elements:
        raise DamagedPickle(
            f"a tensor of shape {list(shape)} reaches beyond its {storage.elements} numbers"
        )


_Handler = Callable[[_Machine, Any], object]


def _pop(count: int) -> _Handler:
    def handler(machine: _Machine, _: Any) -> None:
        for _index in range(count):
            machine.stack.pop()

    return handler


_HANDLERS: dict[str, _Handler] = {
    **dict.fromkeys(
        (
            *("BININT", "BININT1", "BININT2", "LONG1"),
            *("BINFLOAT", "BINUNICODE", "SHORT_BINSTRING"),
        ),
        _Machine.push,
    ),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push(None),
    "EMPTY_SET": lambda m, _: m.push(None),
    "MARK": _Machine.mark,
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "APPEND": lambda m, _: m.append([m.stack.pop()]),
    "APPENDS": lambda m, _: m.append(m.since_mark()),
    "SETITEM": _pop(2),
    "SETITEMS": lambda m, _: m.since_mark(),
    "GLOBAL": _Machine.import_name,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.persistent,
    "BINPUT": lambda m, index: m.memo.__setitem__(index, m.stack[-1]),
    "LONG_BINPUT": lambda m, index: m.memo.__setitem__(index, m.stack[-1]),
    "BINGET": lambda m, index: m.push(m.memo[index]),
    "LONG_BINGET": lambda m, index: m.push(m.memo[index]),
    "PROTO": lambda m, _: None,
    "STOP": lambda m, _: setattr(m.found, "result", m.stack.pop()),
}
