"""A chip whose accumulators saturate, as an extension of Spikeport."""
