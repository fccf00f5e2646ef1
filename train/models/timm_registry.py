"""The zoo under timm's roof: `timm.create_model("spikeport_max_former_10_384")`.

Importing this module registers every model. `import spikeport` arranges that it is imported once
timm is, whichever of them comes first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from timm.models import register_model
from timm.models._pretrained import DefaultCfg, PretrainedCfg

from spikeport.core.errors import UsageError
from spikeport.train.models import MODELS, ModelEntry, ZooModel, create_model

PREFIX = "spikeport_"
# timm's words for options that have names of their own here.
_WORDS = {"in_chans": "in_channels", "T": "steps", "img_size": "image_size"}

default_cfgs: dict[str, DefaultCfg] = {}


@dataclass
class SpikingCfg(PretrainedCfg):  # type: ignore[misc]
    """timm's default config, and the number of time steps T that a model is meant for."""

    T: int = 4


def _cfg(entry: ModelEntry) -> SpikingCfg:
    channels = entry.input_shape[0]
    return SpikingCfg(
        input_size=entry.input_shape,
        fixed_input_size=True,
        crop_pct=1.0,
        # Event frames are counts: nothing is subtracted from them.
        mean=entry.mean or (0.0,) * channels,
        std=entry.std or (1.0,) * channels,
        num_classes=entry.num_classes,
        license="apache-2.0",
        description=entry.description,
        T=entry.steps,
    )


def _entrypoint(name: str) -> Callable[..., ZooModel]:
    def entrypoint(
        pretrained: bool = False,
        pretrained_cfg: Any = None,
        pretrained_cfg_overlay: Any = None,
        cache_dir: Any = None,
        **options: Any,
    ) -> ZooModel:
        if pretrained:
            raise UsageError(
                "no pretrained weights can be downloaded.",
                where=PREFIX + name,
                fix="Get the published checkpoint and use spikeport.load_checkpoint(model, path).",
            )
        model = create_model(
            name, **{_WORDS.get(key, key): _size(key, value) for key, value in options.items()}
        )
        cfg = _cfg(MODELS[name]).to_dict()
        cfg |= {"input_size": model.input_shape, "num_classes": model.num_classes}
        cfg["T"] = model.options.steps or cfg["T"]
        model.pretrained_cfg = model.default_cfg = cfg
        return model

    entrypoint.__name__ = entrypoint.__qualname__ = PREFIX + name
    entrypoint.__doc__ = MODELS[name].description
    return entrypoint


def _size(key: str, value: Any) -> Any:
    return (value, value) if key == "img_size" and isinstance(value, int) else value


for _name, _entry in MODELS.items():
    default_cfgs[PREFIX + _name] = DefaultCfg(tags=deque([""]), cfgs={"": _cfg(_entry)})
    register_model(_entrypoint(_name))
