"""Model zoo, event data, recipes, training loop and checkpoints.

- `spikeport.train.models`: `create_model(name, **options)` and the registry `MODELS`.
- `spikeport.train.data`: `open_data("NAME[:PATH]", split, steps=...)` and the registry `DATA`.
- `spikeport.train.recipe`: what a training run does, read from a YAML file.
- `spikeport.train.loop`: `fit(recipe, out_dir)`.
- `spikeport.train.plan`: `plan(recipe)`, what it would take.
- `spikeport.train.checkpoint`: `load_model(name, checkpoint)`.
"""
