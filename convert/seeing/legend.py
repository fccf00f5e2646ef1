"""What an edge carries, in colours, strokes and words."""

from spikeport.convert.domain import Domain

DOMAIN_COLOURS = {
    # Okabe and Ito's set, which readers with any kind of colour vision can tell apart.
    Domain.SPIKE: "#0072B2",
    Domain.GRADED: "#009E73",
    Domain.SCALED: "#CC8400",
    Domain.REAL: "#D55E00",
}
DOMAIN_DASHES = {Domain.SPIKE: "", Domain.GRADED: "9 3", Domain.SCALED: "2 3", Domain.REAL: "5 2"}
"""SVG dash patterns, so that a print without colour can be read too."""
DOMAIN_STYLES = {
    Domain.SPIKE: "solid",
    Domain.GRADED: "dashed",
    Domain.SCALED: "dotted",
    Domain.REAL: "dashed",
}
"""The same for Graphviz, which knows fewer."""
DOMAIN_WORDS = {
    Domain.SPIKE: "spikes, 0 or 1",
    Domain.GRADED: "whole numbers",
    Domain.SCALED: "events times a constant",
    Domain.REAL: "real values",
}
