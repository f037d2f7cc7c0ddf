"""Drawing which stage reads which, as SVG: one column down the middle, what is not always there beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 270, 62
ACROSS, DOWN = 310, 98
MARGIN, LEGEND = 24, 58
FILL = {
    "source": "#d7e7f8",
    "project": "#d9f0d3",
    "face set": "#fde3c5",
    "face set and source": "#fff3bf",
}
STYLE = """\
text { font-family: Helvetica, Arial, sans-serif; font-size: 12px; fill: #222 }
.name { font-size: 16px; font-weight: bold }
.small { font-size: 11px; fill: #444 }
.given { font-style: italic; fill: #7a3b00 }
rect { stroke: #555; stroke-width: 1.2 }
.optional { stroke-dasharray: 5 4 }
path { fill: none; stroke: #555; stroke-width: 1.6 }"""


@dataclass(frozen=True)
class Node:
    """One stage: what it makes, what it runs once for, the stages that it reads, and what of the user's.

    An optional one does not run in every project; the others do without it.
    """

    name: str
    makes: tuple[str, ...]
    unit: str
    reads: frozenset[str]
    given: tuple[str, ...] = ()
    is_optional: bool = False
    gpu: bool = False


def rule_graph(nodes: Sequence[Node]) -> str:
    """The picture of some stages, each of which comes after all that it reads."""
    by_name = {node.name: node for node in nodes}
    arrows = [(name, node.name) for node in nodes for name in sorted(drawn_reads(node, by_name))]
    places = place(nodes, arrows)
    right = max(column for column, _ in places.values())
    bottom = max(row for _, row in places.values())
    width = 2 * MARGIN + right * ACROSS + WIDTH
    height = 2 * MARGIN + bottom * DOWN + HEIGHT + LEGEND
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>Which stage reads which</title>",
        f"<style>\n{STYLE}\n</style>",
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<polygon points="0 0.5, 8 4, 0 7.5" fill="#555"/></marker>',
        f'<rect x="0" y="0" width="{width}" height="{height}" style="fill: white; stroke: none"/>',
        *(_arrow(places[start], places[end], by_name[start], by_name[end]) for start, end in arrows),
        *(line for node in nodes for line in _box(node, places[node.name])),
        *_legend(height - LEGEND),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def drawn_reads(node: Node, nodes: Mapping[str, Node]) -> set[str]:
    """The stages that a stage reads, less those that it is known to come after by others that always run."""

    def before(name: str) -> set[str]:
        reads = nodes[name].reads
        return {*reads, *(further for other in reads if not nodes[other].is_optional for further in before(other))}

    implied = {further for other in node.reads if not nodes[other].is_optional for further in before(other)}
    return {name for name in node.reads if name not in implied}


def place(nodes: Sequence[Node], arrows: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Column and row of each: a row below all that it reads; optional ones to the left, others side by side."""
    row: dict[str, int] = {}
    for node in nodes:
        row[node.name] = 1 + max((row[start] for start, end in arrows if end == node.name), default=-1)
    for node in nodes:  # what reads nothing stands just above who reads it
        readers = [row[end] for start, end in arrows if start == node.name]
        if node.is_optional and not node.reads and readers:
            row[node.name] = min(readers) - 1
    read = {start for start, _ in arrows}
    taken: set[tuple[int, int]] = set()
    places = {}
    for node in sorted(nodes, key=lambda node: node.name not in read):  # those that lead on stay in the middle
        column = 0 if node.is_optional else 1
        while (column, row[node.name]) in taken:
            column += 1
        places[node.name] = column, row[node.name]
        taken.add(places[node.name])
    return places


def _corner(at: tuple[int, int]) -> tuple[int, int]:
    return MARGIN + at[0] * ACROSS, MARGIN + at[1] * DOWN


def _box(node: Node, at: tuple[int, int]) -> list[str]:
    left, top = _corner(at)
    outline = ' class="optional"' if node.is_optional else ""
    lines = [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="7" fill="{FILL[node.unit]}"{outline}/>',
        f'<text class="name" x="{left + 10}" y="{top + 20}">{escape(node.name)}</text>',
    ]
    if node.gpu:
        lines.append(f'<text class="small" x="{left + WIDTH - 10}" y="{top + 19}" text-anchor="end">GPU</text>')
    lines.append(f'<text class="small" x="{left + 10}" y="{top + 37}">{escape(_shortened(node.makes))}</text>')
    if node.given:
        text = f"reads {', '.join(what.removeprefix('the ') for what in node.given)}"
        lines.append(f'<text class="small given" x="{left + 10}" y="{top + 53}">{escape(text)}</text>')
    return lines


def _shortened(makes: Sequence[str]) -> str:
    names = [file.removesuffix(".parquet").replace("_", " ") for file in makes]
    return ", ".join(names if len(names) < 4 else [*names[:2], f"{len(names) - 2} more"])


def _arrow(start: tuple[int, int], end: tuple[int, int], above: Node, below: Node) -> str:
    (x, y), (to_x, to_y) = _corner(start), _corner(end)
    x, y, to_x = x + WIDTH // 2, y + HEIGHT, to_x + WIDTH // 2
    outline = ' class="optional"' if above.is_optional or below.is_optional else ""
    bend = (to_y - y) // 2
    return (
        f'<path d="M {x} {y} C {x} {y + bend}, {to_x} {to_y - bend}, {to_x} {to_y - 2}" '
        f'marker-end="url(#tip)"{outline}/>'
    )


def _legend(top: int) -> list[str]:
    lines = []
    left = MARGIN
    for unit, fill in FILL.items():
        lines.append(f'<rect x="{left}" y="{top + 14}" width="20" height="16" rx="3" fill="{fill}"/>')
        lines.append(f'<text x="{left + 28}" y="{top + 26}">once a {escape(unit)}</text>')
        left += 56 + 7 * len(f"once a {unit}")
    return lines
