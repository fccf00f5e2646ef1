"""White-box attacks on networks that read real input: `ATTACKS` and `SPACES`."""

from spikeport.train.attacks import fgsm, pgd  # noqa: F401  fills ATTACKS
from spikeport.train.attacks.registry import ATTACKS, Attack
from spikeport.train.attacks.spaces import SPACES, Victim

__all__ = ["ATTACKS", "SPACES", "Attack", "Victim"]
