"""Write event digits one after the other into one recording: simulated events, 32 x 32 pixels.

python digits_recording.py digits.npz [digit ...]     (3 1 4 1 5 by default)

Each digit takes 300 ms; 100 ms without events follow.
"""

import sys

import numpy as np

from spikeport.train.data.digits import EventDigits

EACH_US = 400_000

digits = EventDigits(None, "test")
wanted = [int(digit) for digit in sys.argv[2:]] or [3, 1, 4, 1, 5]
used: dict[int, int] = {}
parts = []
for number, digit in enumerate(wanted):
    # The next image of this digit that was not shown yet.
    found = [index for index, target in enumerate(digits.targets) if target == digit]
    events = digits[found[used.get(digit, 0)]][0].copy()
    used[digit] = used.get(digit, 0) + 1
    events["t"] += number * EACH_US - events["t"][0]
    parts.append(events)
whole = np.concatenate(parts)
np.savez_compressed(sys.argv[1], sensor_size=[32, 32], **{name: whole[name] for name in "xytp"})
print(f"{sys.argv[1]}: {len(whole)} simulated events of the digits {wanted}")
