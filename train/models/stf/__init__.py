"""Shallow-level temporal feedback (STF, arXiv 2508.00387) around the encoding layer of a network.

`spikeport.train.models.stf.attach.add_stf` adds it to any network that has such a layer.
"""
