"""Tables of publications, one file each; the schema is `spikeport.comparison.publications`."""
