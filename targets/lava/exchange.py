"""Files through which a run on Lava's runtime and who asked for it speak."""

GRAPH, FRAMES, KEPT, ERROR = "graph.spg", "frames.npy", "kept.npz", "error.json"
