"""A graph in Graphviz's language, edges coloured by domain."""

from __future__ import annotations

import html

import pydot

from spikeport.convert.graph import Graph
from spikeport.convert.seeing.legend import DOMAIN_COLOURS, DOMAIN_STYLES, DOMAIN_WORDS
from spikeport.convert.seeing.palette import (
    BACKGROUND,
    BORDER,
    FAINT,
    INK,
    details,
    domains_of,
    fill,
    title,
)

_FONT = "Helvetica,Arial,sans-serif"


def draw_dot(graph: Graph) -> str:
    """Graphviz source; the same graph gives the same text."""
    return str(as_pydot(graph).to_string())


def as_pydot(graph: Graph) -> pydot.Dot:
    """For Graphviz, through pydot."""
    picture = pydot.Dot(
        "spikeport",
        graph_type="digraph",
        bgcolor=BACKGROUND,
        fontname=_quoted(_FONT),
        label=_legend(graph),
        labelloc="t",
        nodesep="0.35",
        ranksep="0.4",
        pad="0.3",
    )
    # Users' names may be words of the language: nodes are called by number.
    ids = {node.name: f"n{number}" for number, node in enumerate(graph)}
    for node in graph:
        picture.add_node(
            pydot.Node(
                ids[node.name],
                label=_label(title(node), details(node)),
                shape="box",
                style=_quoted("rounded,filled"),
                fillcolor=_quoted(fill(node)),
                color=_quoted(BORDER),
                fontname=_quoted(_FONT),
                fontcolor=_quoted(INK),
                margin=_quoted("0.14,0.07"),
            )
        )
    for node in graph:
        for source in node.inputs:
            picture.add_edge(_edge(graph, ids, source, node.name))
        shown = node.op.feedback
        if shown is not None and shown in graph:
            picture.add_edge(_edge(graph, ids, shown, node.name, feedback=True))
    return picture


def _edge(
    graph: Graph, ids: dict[str, str], source: str, target: str, *, feedback: bool = False
) -> pydot.Edge:
    domain = graph[source].domain
    edge = pydot.Edge(
        ids[source],
        ids[target],
        color=_quoted(DOMAIN_COLOURS[domain]),
        penwidth="1.7",
        arrowsize="0.7",
        style=DOMAIN_STYLES[domain],
        tooltip=_quoted(str(domain)),
    )
    if feedback:
        edge.set("label", _quoted("one step later"))
        edge.set("fontname", _quoted(_FONT))
        edge.set("fontsize", "10")
        edge.set("constraint", "false")
    return edge


def _label(first: str, second: str) -> str:
    return (
        f'<<FONT POINT-SIZE="12">{html.escape(first)}</FONT><BR/>'
        f'<FONT POINT-SIZE="10" COLOR="{FAINT}">{html.escape(second)}</FONT>>'
    )


def _legend(graph: Graph) -> str:
    rows = "".join(
        f'<TR><TD ALIGN="LEFT"><FONT COLOR="{DOMAIN_COLOURS[domain]}"><B>{domain}</B></FONT></TD>'
        f'<TD ALIGN="LEFT">{DOMAIN_WORDS[domain]}</TD></TR>'
        for domain in domains_of(graph)
    )
    empty = "<TR><TD>empty graph</TD></TR>"
    return f'<<TABLE BORDER="0" CELLSPACING="2" CELLPADDING="2">{rows or empty}</TABLE>>'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
