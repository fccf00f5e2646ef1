"""Files that went wrong: seeded mutations of a graph file, of its bytes and of its content."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable
from typing import Any

import torch

from spikeport.convert.storage import digest

Header = dict[str, Any]

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**31, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308,
    float("inf"), float("-inf"), float("nan"), "", "1", "x", "spike", "real", "\x00", "é" * 50,
    "a" * 10_000, [], {}, [[]], [1, 2], [-1, 4, 4], [2**40, 2**40], [0], ["x"], {"a": 1},
    [[[[[[[[]]]]]]]],
)  # fmt: skip
"""Values that a field may turn into."""


def split(data: bytes) -> tuple[Header, bytes]:
    """The safetensors header and what follows it."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header: Header, rest: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def tensors_in(header: Header, rest: bytes) -> dict[str, torch.Tensor]:
    """The tensors, read without the library."""
    types = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32}
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            raw = torch.frombuffer(bytearray(rest[begin:end]), dtype=types[entry["dtype"]])
            found[name] = raw.reshape(entry["shape"])
    return found


def mutate(data: bytes, seed: int) -> tuple[str, bytes]:
    """What was done, and the file that it leaves; the same for the same seed."""
    chance = random.Random(seed)
    kind = chance.choice(list(KINDS))
    return f"{kind}, seed {seed}", KINDS[kind](data, chance)


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 8, 64])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_header(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    (length,) = struct.unpack("<Q", data[:8])
    for _ in range(chance.choice([1, 2, 4])):
        changed[chance.randrange(8 + length)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _extend(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.choice([1, 7, 4096]))


def _cut_out(data: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(data))
    return data[:begin] + data[begin + chance.randrange(1, 200) :]


def _length(data: bytes, chance: random.Random) -> bytes:
    value = chance.choice([0, 1, 2, 100_000_000, 100_000_001, 2**32, 2**63, 2**64 - 1, len(data)])
    return struct.pack("<Q", value) + data[8:]


def _offsets(data: bytes, chance: random.Random) -> bytes:
    """Sizes, types and places of tensors: overlapping, beyond the end, negative, huge."""
    header, rest = split(data)
    entry = header[chance.choice([name for name in header if name != "__metadata__"])]
    key = chance.choice(["data_offsets", "shape", "dtype"])
    if key == "dtype":
        entry[key] = chance.choice(["F64", "I32", "BOOL", "F8_E4M3", "U64", "C64", "", "F32", 7])
    elif chance.random() < 0.3:
        entry[key] = chance.choice(STRANGE)
    else:
        values = list(entry[key]) or [1]
        place = chance.randrange(len(values))
        values[place] = chance.choice([0, 1, -1, values[place] + 4, 2**33, 2**63, 2**64, 2**70])
        entry[key] = values
    return joined(header, rest)


def _metadata(data: bytes, chance: random.Random) -> bytes:
    """The entries around the graph: format, version, hash."""
    header, rest = split(data)
    entries = header["__metadata__"]
    key = chance.choice([*entries, "more"])
    what = chance.randrange(4)
    if what == 0:
        entries.pop(key, None)
    elif what == 1:
        entries[key] = chance.choice(["", "0", "1", "3", "99999999999999999999", "x", "{}", "null"])
    elif what == 2:
        entries[key] = chance.choice(STRANGE)
    else:
        header["__metadata__"] = chance.choice(STRANGE)
    return joined(header, rest)


def _renamed_tensor(data: bytes, chance: random.Random) -> bytes:
    header, rest = split(data)
    old = chance.choice([name for name in header if name != "__metadata__"])
    entry = header.pop(old)
    if chance.random() < 0.7:
        header[chance.choice(["", "x", f"{old}2", old.upper(), "../../etc/passwd"])] = entry
    return joined(header, rest)


def _content(data: bytes, chance: random.Random) -> bytes:
    """The graph itself, with a hash that fits: as another writer would make it."""
    header, rest = split(data)
    content = json.loads(header["__metadata__"]["graph"])
    for _ in range(chance.choice([1, 1, 2, 3])):
        chance.choice(CHANGES)(content, chance)
    text = json.dumps(content)
    if chance.random() < 0.05:
        text = chance.choice([text[:-1], text + "}", "[" * 100_000, "{}", "", text * 2])
    header["__metadata__"]["graph"] = text
    header["__metadata__"]["sha256"] = digest(text, tensors_in(header, rest))
    return joined(header, rest)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of everything inside a JSON value."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        keys = each if isinstance(each, dict) else range(len(each))
        for key in list(keys):
            found.append((each, key))
            if isinstance(each[key], dict | list):
                waiting.append(each[key])
    return found


def _change_value(content: Any, chance: random.Random) -> None:
    if places := _places(content):
        container, key = chance.choice(places)
        container[key] = copy.deepcopy(chance.choice(STRANGE))


def _change_number(content: Any, chance: random.Random) -> None:
    numbers = [
        (container, key)
        for container, key in _places(content)
        if isinstance(container[key], int | float)
    ]
    if numbers:
        container, key = chance.choice(numbers)
        container[key] = chance.choice([container[key] + 1, -container[key], 2**50, 0, 1e300])


def _rename_field(content: Any, chance: random.Random) -> None:
    fields = [place for place in _places(content) if isinstance(place[0], dict)]
    if fields:
        container, key = chance.choice(fields)
        container[chance.choice(["x", f"{key}s", "__class__", "__init__", ""])] = container.pop(key)


def _remove(content: Any, chance: random.Random) -> None:
    if places := _places(content):
        container, key = chance.choice(places)
        del container[key]


def _nodes(content: Any) -> list[Any]:
    nodes = content.get("nodes") if isinstance(content, dict) else None
    return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []


def _duplicate_node(content: Any, chance: random.Random) -> None:
    if nodes := _nodes(content):
        content["nodes"].insert(
            chance.randrange(len(nodes) + 1), copy.deepcopy(chance.choice(nodes))
        )


def _swap_nodes(content: Any, chance: random.Random) -> None:
    if len(nodes := _nodes(content)) > 1:
        first, second = chance.sample(nodes, 2)
        kept = dict(first)
        first.clear()
        first.update(second)
        second.clear()
        second.update(kept)


def _rewire(content: Any, chance: random.Random) -> None:
    """Edges from anywhere to anywhere: cycles, self-loops, edges to nothing."""
    if nodes := _nodes(content):
        names = [str(node.get("name")) for node in nodes]
        reader = chance.choice(nodes)
        count = chance.choice([0, 1, 1, 2, 3])
        reader["inputs"] = [chance.choice([*names, "gone"]) for _ in range(count)]


def _swap_kind(content: Any, chance: random.Random) -> None:
    if nodes := _nodes(content):
        known = ["conv", "lif", "add", "linear", "delay", "input", "reshape", "matmul", "eval", ""]
        chance.choice(nodes)["kind"] = chance.choice(known)


CHANGES: tuple[Callable[[Any, random.Random], None], ...] = (
    _change_value,
    _change_value,
    _change_number,
    _rename_field,
    _remove,
    _duplicate_node,
    _swap_nodes,
    _rewire,
    _swap_kind,
)
KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flip,
    "bits of the header flipped": _flip_header,
    "truncated": _truncate,
    "extended": _extend,
    "a part cut out": _cut_out,
    "length of the header": _length,
    "tensor entry": _offsets,
    "entry of the metadata": _metadata,
    "tensor renamed": _renamed_tensor,
    "content": _content,
    "content, again": _content,
    "content, once more": _content,
}
