"""The leaf that every other package may import: errors, safe files, registries, progress."""
