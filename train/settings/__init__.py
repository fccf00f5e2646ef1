"""All that a recipe can say."""

from spikeport.train.settings.recipe import Recipe
from spikeport.train.settings.tables import (
    AugmentRecipe,
    DataRecipe,
    ImageRecipe,
    MixRecipe,
    OptimizerRecipe,
    ScheduleRecipe,
)

__all__ = [
    "AugmentRecipe",
    "DataRecipe",
    "ImageRecipe",
    "MixRecipe",
    "OptimizerRecipe",
    "Recipe",
    "ScheduleRecipe",
]
