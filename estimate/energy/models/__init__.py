"""Data: one energy model per TOML file, named after its id."""
