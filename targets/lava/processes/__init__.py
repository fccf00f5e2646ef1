"""Lava processes and their models, and nothing else.

Lava's compiler may execute every file of this folder while it looks for models: no scripts, no
side effects, no heavy imports here. Models compute with numpy only, since torch hangs in forked
processes. Everything sends int32, since the sender decides what a channel carries.
"""
