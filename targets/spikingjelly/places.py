"""Where modules sit in the network: at the paths that they had, as far as those are free."""

from __future__ import annotations

from torch import nn

_OWN = {*dir(nn.Module()), "calls"}


class Places:
    """Module paths that are taken, and what is there.

    A path that is taken, or runs through another module, gets a number behind it.
    """

    def __init__(self) -> None:
        self._modules: dict[str, nn.Module] = {}
        self._taken: set[str] = set()
        self._containers: set[str] = set()

    def take(self, wanted: str, module: nn.Module, inside: str = "") -> str:
        """Put a module at a path, below `inside` if that is given; the path that it got."""
        if inside and not wanted.startswith(f"{inside}."):
            wanted = f"{inside}.{wanted.rpartition('.')[2]}"
        path = self._free(wanted, inside)
        self._modules[path] = module
        return path

    def reserve(self, wanted: str) -> str:
        """A path for a module with modules below it."""
        path = self._free(wanted or "loop", "")
        self._containers.add(path)
        return path

    def put(self, path: str, module: nn.Module) -> None:
        """What belongs to a reserved path."""
        self._modules[path] = module

    def fill(self, root: nn.Module) -> None:
        """Build the tree, containers first."""
        for path in sorted(self._modules, key=lambda path: path.count(".")):
            parent = root
            *above, name = path.split(".")
            for part in above:
                if part not in parent._modules:
                    parent.add_module(part, nn.Module())
                parent = parent.get_submodule(part)
            parent.add_module(name, self._modules[path])

    def _free(self, wanted: str, inside: str) -> str:
        parts = [part if part and part not in _OWN else f"{part}_" for part in wanted.split(".")]
        while (blocked := self._blocked(parts, inside)) is not None:
            name, number = parts[blocked], 2
            while self._blocked([*parts[:blocked], f"{name}_{number}"], inside) is not None:
                number += 1
            parts[blocked] = f"{name}_{number}"
        path = ".".join(parts)
        self._taken.add(path)
        self._containers |= {".".join(parts[:i]) for i in range(1, len(parts))}
        return path

    def _blocked(self, parts: list[str], inside: str) -> int | None:
        """The first part at which a path meets a module; the last where it meets a container."""
        for i in range(len(parts)):
            path = ".".join(parts[: i + 1])
            last = i == len(parts) - 1
            if (path in self._taken and path != inside) or (last and path in self._containers):
                return i
        return None
