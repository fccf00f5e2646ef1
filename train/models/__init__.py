"""The model zoo: `create_model(name, **options)`."""

from spikeport.train.models import ablations, catalogue, trained  # noqa: F401  (fill the registry)
from spikeport.train.models.base import ZooModel
from spikeport.train.models.zoo import MODELS, ModelEntry, create_model

__all__ = ["MODELS", "ModelEntry", "ZooModel", "create_model"]
