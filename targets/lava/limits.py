"""What Lava's fixed-point models can hold. Source: lava-nc 0.10.0, `lava/proc/lif/models.py`
(`AbstractPyLifModelFixed`) and `lava/proc/conv/models.py` (`PyConvModelFixed`), unless noted."""

DECAY_UNIT = 4096
"""Decays are whole numbers of 1/4096 per step."""

NO_CURRENT_MEMORY = 4095
"""du that forgets the synaptic current at once: the model adds one to du before it decays."""

CURRENT_SHIFT = 6
"""Input, threshold and membrane: the first two are shifted left by 6 bits to meet the third."""

STATE_LIMIT = 2**23
"""u wraps beyond +-2^23; v saturates at +-(2^23 - 1)."""

CURRENT_LIMIT = STATE_LIMIT >> CURRENT_SHIFT
"""Summed input of a neuron must stay below 131072 in magnitude, or u wraps without notice."""

THRESHOLD_LIMIT = 2**17 - 1
"""Largest vth; with a larger one the neuron never fires, without notice."""

CONVOLUTION_LIMIT = 2**23
"""A convolution's result wraps to 24 bits with sign, without notice."""

MESSAGE_LIMIT = 2**31
"""Messages between processes are int32."""

BIAS_LIMIT = 2**15 - 1
"""bias_mant is stored as int16; larger values wrap without notice."""

CHIP_BIAS_LIMIT = 2**12 - 1
"""Documented range of bias_mant on the chip (13 bits with sign); the simulation takes int16."""

BIAS_EXPONENTS = range(8)
"""bias_exp is an unsigned 3-bit number."""

EXACT_LIMIT = 2**53
"""Whole numbers below this are exact in float64."""

WEIGHT_BITS = range(4, 17)
"""Selectable weight widths. Loihi stores 8 bits; the simulation takes any int32."""

CHIP_WEIGHT_BITS = 8
