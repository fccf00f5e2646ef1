"""Stream frames through a step graph; print the class scores after each step.

Needs onnxruntime and numpy only: python run_stream.py step.onnx [frames.npz]
The npz holds `frames`, [T, *shape] or [T, B, *shape]; without one, random events are drawn.
"""

import json
import sys

import numpy as np
import onnxruntime


def at_rest(state, batch):
    shape = () if state["shape"] is None else (batch, *state["shape"])
    return np.full(shape, state["initial"], dtype=state["dtype"])


session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
told = session.get_modelmeta().custom_metadata_map
states = json.loads(told["spikeport.states"])
names = json.loads(told.get("spikeport.class_names", "[]"))
entry = session.get_inputs()[0]
outputs = [output.name for output in session.get_outputs()]

if len(sys.argv) > 2:
    frames = np.load(sys.argv[2])["frames"]
else:
    frames = np.random.default_rng(0).poisson(0.2, (int(told["spikeport.steps"]), *entry.shape[1:]))
if frames.ndim == len(entry.shape):
    frames = frames[:, None]  # one sample

values = {state["name"]: at_rest(state, frames.shape[1]) for state in states}
for step, frame in enumerate(frames.astype(told["spikeport.dtype"]), 1):
    results = dict(zip(outputs, session.run(None, {entry.name: frame, **values}), strict=True))
    values = {state["name"]: results[state["next"]] for state in states}
    for sample, scores in enumerate(results[outputs[0]]):
        best = names[scores.argmax()] if names else f"class {scores.argmax()}"
        print(f"step {step}, sample {sample}: {best}", *(f"{score:.4f}" for score in scores))
