"""The model zoo: `create_model(name, **options)`."""

from spikeport.train.models.zoo import MODELS, ModelEntry, create_model

__all__ = ["MODELS", "ModelEntry", "create_model"]
