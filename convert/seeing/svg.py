"""A graph as an SVG picture: by Graphviz where it is installed, else by a layout of ours."""

from __future__ import annotations

import shutil
from xml.sax.saxutils import escape

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.seeing.layout import Layout, Place, layout
from spikeport.convert.seeing.legend import DOMAIN_COLOURS, DOMAIN_DASHES, DOMAIN_WORDS
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

HEIGHT, ROW = 42.0, 76.0
"""Of a node, and from one rank to the next."""
MARGIN = 28.0
LEGEND_ROW = 20.0
LOOP_WIDTH = 34.0
"""Of the lane of one feedback edge, with its words."""
_ASIDE, _TURN = 16.0, 8.0
_TITLE_WIDTH, _DETAIL_WIDTH = 7.4, 6.0
"""Width of a character at the two font sizes, on the safe side."""
_FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def draw_svg(graph: Graph) -> str:
    """SVG text; the same graph gives the same text on the same installation."""
    return _by_graphviz(graph) if shutil.which("dot") else draw_layered(graph)


def _by_graphviz(graph: Graph) -> str:
    from spikeport.convert.seeing.dot import as_pydot

    picture: bytes = as_pydot(graph).create(format="svg")  # type: ignore[assignment]
    return picture.decode()


def draw_layered(graph: Graph) -> str:
    """SVG text without Graphviz; the same graph gives the same text everywhere."""
    names = [node.name for node in graph]
    edges = list(dict.fromkeys((source, node.name) for node in graph for source in node.inputs))
    widths = {node.name: _width(node) for node in graph}
    return "\n".join(_Picture(graph, layout(names, edges, widths), widths).lines()) + "\n"


def _width(node: Node) -> float:
    return 24 + max(len(title(node)) * _TITLE_WIDTH, len(details(node)) * _DETAIL_WIDTH, 60.0)


class _Picture:
    def __init__(self, graph: Graph, places: Layout, widths: dict[str, float]) -> None:
        self.graph, self.places, self.widths = graph, places, widths
        self.domains = domains_of(graph)
        self.loops = [
            (shown, node.name)
            for node in graph
            if (shown := node.op.feedback) is not None and shown in graph
        ]
        edges = [places.x[place] for place in places.x if not isinstance(place[0], str)]
        left = [self._x(name) - width / 2 for name, width in widths.items()]
        right = [self._x(name) + width / 2 for name, width in widths.items()]
        self.origin = MARGIN - min([*left, *edges], default=0.0)
        self.right = max([*right, *edges], default=0.0) + self.origin
        self.top = MARGIN + LEGEND_ROW * max(1, len(self.domains)) + 18

    def lines(self) -> list[str]:
        """The file, line by line."""
        width = max(self.right + MARGIN + LOOP_WIDTH * len(self.loops), 380.0)
        height = self.top + len(self.places.ranks) * ROW - (ROW - HEIGHT) + MARGIN
        return [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}">',
            *self._markers(),
            f'<rect width="100%" height="100%" fill="{BACKGROUND}"/>',
            *self._legend(),
            *(
                self._curve(route, self.graph[source].domain)
                for (source, _), route in self.places.routes.items()
            ),
            *(
                self._loop(number, source, target)
                for number, (source, target) in enumerate(self.loops)
            ),
            *(line for node in self.graph for line in self._node(node)),
            "</svg>",
        ]

    def _x(self, name: str) -> float:
        return self.places.x[name, self.places.rank[name]]

    def _middle(self, name: str) -> tuple[float, float]:
        rank = self.places.rank[name]
        return self._x(name) + self.origin, self.top + rank * ROW + HEIGHT / 2

    def _markers(self) -> list[str]:
        return [
            "<defs>",
            *(
                f'<marker id="{domain}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
                f'markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">'
                f'<path d="M0 0 L8 4 L0 8 z" fill="{DOMAIN_COLOURS[domain]}"/></marker>'
                for domain in self.domains
            ),
            "</defs>",
        ]

    def _legend(self) -> list[str]:
        lines = []
        for number, domain in enumerate(self.domains):
            y = MARGIN + LEGEND_ROW * number
            lines += [
                f'<path d="M{MARGIN:.0f} {y:.0f} h40" {self._stroke(domain)}/>',
                f'<text x="{MARGIN + 52:.0f}" y="{y + 4:.0f}" font-size="12" fill="{INK}">'
                f'<tspan font-weight="bold">{domain}</tspan>: {DOMAIN_WORDS[domain]}</text>',
            ]
        return lines

    def _stroke(self, domain: Domain) -> str:
        dashes = DOMAIN_DASHES[domain]
        pattern = f' stroke-dasharray="{dashes}"' if dashes else ""
        colour = DOMAIN_COLOURS[domain]
        return (
            f'fill="none" stroke="{colour}" stroke-width="1.7"{pattern} marker-end="url(#{domain})"'
        )

    def _curve(self, route: list[Place], domain: Domain) -> str:
        points = [(self.places.x[place] + self.origin, place[1]) for place in route]
        (x, rank), *rest = points
        y = self.top + rank * ROW + HEIGHT
        path = [f"M{x:.1f} {y:.1f}"]
        for number, (next_x, next_rank) in enumerate(rest, 1):
            last = number == len(rest)
            arrive = self.top + next_rank * ROW
            half = (y + arrive) / 2
            path.append(f"C{x:.1f} {half:.1f} {next_x:.1f} {half:.1f} {next_x:.1f} {arrive:.1f}")
            if not last:
                # Straight past the nodes of the rank.
                path.append(f"V{arrive + HEIGHT:.1f}")
            x, y = next_x, arrive + HEIGHT
        return f'<path d="{" ".join(path)}" {self._stroke(domain)}/>'

    def _loop(self, number: int, source: str, target: str) -> str:
        """Feedback runs back along the right side, and between ranks to get there and back."""
        x0, y0 = self._middle(source)
        x1, y1 = self._middle(target)
        # Beside the edges that leave and arrive in the middle of a node.
        x0, x1 = x0 + _ASIDE, x1 + _ASIDE
        leave, arrive = y0 + HEIGHT / 2, y1 - HEIGHT / 2
        below, above = leave + (ROW - HEIGHT) / 2, arrive - (ROW - HEIGHT) / 2
        side = self.right + LOOP_WIDTH * (number + 0.5)
        up = _TURN if above > below else -_TURN
        path = (
            f"M{x0:.1f} {leave:.1f} V{below - _TURN:.1f} "
            f"Q{x0:.1f} {below:.1f} {x0 + _TURN:.1f} {below:.1f} H{side - _TURN:.1f} "
            f"Q{side:.1f} {below:.1f} {side:.1f} {below + up:.1f} V{above - up:.1f} "
            f"Q{side:.1f} {above:.1f} {side - _TURN:.1f} {above:.1f} H{x1 + _TURN:.1f} "
            f"Q{x1:.1f} {above:.1f} {x1:.1f} {above + _TURN:.1f} V{arrive:.1f}"
        )
        domain = self.graph[source].domain
        label = f"<title>{escape(source)}, one step later</title>"
        middle = (below + above) / 2
        return (
            f'<path d="{path}" {self._stroke(domain)}>{label}</path>'
            f'<text transform="translate({side + 12:.1f} {middle:.1f}) rotate(-90)" '
            f'text-anchor="middle" font-size="11" fill="{DOMAIN_COLOURS[domain]}">'
            f"one step later</text>"
        )

    def _node(self, node: Node) -> list[str]:
        x, y = self._middle(node.name)
        width = self.widths[node.name]
        text = 'text-anchor="middle"'
        return [
            f'<rect x="{x - width / 2:.1f}" y="{y - HEIGHT / 2:.1f}" width="{width:.1f}" '
            f'height="{HEIGHT:.0f}" rx="7" fill="{fill(node)}" stroke="{BORDER}"/>',
            f'<text x="{x:.1f}" y="{y - 3:.1f}" {text} font-size="13" fill="{INK}">'
            f"{escape(title(node))}</text>",
            f'<text x="{x:.1f}" y="{y + 13:.1f}" {text} font-size="11" fill="{FAINT}">'
            f"{escape(details(node))}</text>",
        ]
