"""Which stage of a network a module path belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOP = "(top level)"


@dataclass(frozen=True)
class Stage:
    """A row of the stage table.

    Attributes:
        stage: network stage ("1", "2", ...), "" where paths do not number them.
        part: patch embedding, token mixing, MLP, head; else the top-level module.
    """

    stage: str
    part: str

    def __str__(self) -> str:
        return f"stage {self.stage} {self.part}" if self.stage else self.part


# First match wins. Names as in Max-Former, QKFormer, Spikformer and spike-driven transformers.
_PARTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(head\w*|classifier)(\.|$)"), "head"),
    (re.compile(r"(^|\.)(patch_embed|downsample)\d*(_\w+)?(\.|$)"), "patch embedding"),
    (re.compile(r"(^|\.)(\w*mixer\w*|attn|\w*attention|tssa|ssa|qkta)(\.|$)"), "token mixing"),
    (re.compile(r"(^|\.)(mlp|ffn)\d*(\.|$)"), "MLP"),
)
_NUMBERED = re.compile(r"^(?:patch_embed|stage|downsample|block)_?(\d+)")


def stage_of(path: str) -> Stage:
    """The stage of a module path such as `stage1.0.mlp.fc1_conv`."""
    if not path:
        return Stage("", TOP)
    number = _NUMBERED.match(path)
    stage = number.group(1) if number else ""
    part, _ = _part_of(path)
    top = path.split(".", 1)[0]
    return Stage(stage, part or ("other" if stage else top))


def module_of(path: str) -> str:
    """The module that a part is: `stage1.0.mlp` of `stage1.0.mlp.fc1_conv`; "" if it is no part."""
    _, end = _part_of(path)
    return path[:end].rstrip(".")


def _part_of(path: str) -> tuple[str, int]:
    """The part that a path names, and where its name ends."""
    for pattern, part in _PARTS:
        found = pattern.search(path)
        if found:
            return part, found.end()
    return "", 0
