"""Draw a site as SVG: zones around the firewall, each flow a numbered line through it, and the flows as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lab.topology.graph import style
from lab.topology.graph.boxes import draw_firewall, draw_host, draw_zone
from lab.topology.graph.canvas import Canvas, number
from lab.topology.graph.drawing import Drawing
from lab.topology.graph.layout import lay_out
from lab.topology.graph.legend import describe, draw_legend
from lab.topology.graph.lines import draw_lines
from lab.topology.graph.table import draw_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.topology.site import Site

FONT = "'DejaVu Sans', Verdana, 'Segoe UI', Helvetica, Arial, sans-serif"
STYLE = (
    f"text{{font-family:{FONT};font-size:11px;fill:{style.INK}}}"
    f".faint{{fill:{style.FAINT}}}.name{{font-weight:bold;font-size:13px}}.title{{font-weight:bold;font-size:20px}}"
    ".badge{font-size:9.5px;font-weight:bold;text-anchor:middle}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".net{fill:none;stroke-width:2.2;stroke-linejoin:round}"
    f".halo{{fill:none;stroke:{style.PAPER};stroke-width:6}}.flow:hover .net{{stroke-width:4.5}}"
    "svg:has(.flow:hover) .flow:not(:hover){opacity:.15}"
)


def draw_svg(site: Site, health: Mapping[str, str] | None = None) -> str:
    """Return the picture as an SVG document that needs nothing else.

    Args:
        site: what is drawn.
        health: each host's state, such as ``healthy`` or ``unhealthy``; without it no state is shown.
    """
    picture = lay_out(site)
    drawing = Drawing(
        Canvas(), site, picture, style.strokes((net.service for net in picture.nets), site.catalog), health
    )
    draw_legend(drawing)
    draw_firewall(drawing)
    for box in picture.boxes:
        draw_zone(drawing, box)
    draw_lines(drawing)
    for box, card in picture.cards():
        draw_host(drawing, box, card)
    width, height = number(picture.width), number(draw_table(drawing))
    attributes = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {attributes} aria-labelledby="title description">',
            f'  <title id="title">{escape(site.topology.title)}</title>',
            f'  <desc id="description">{escape(describe(drawing))}</desc>',
            f"  <style>{STYLE}</style>",
            f'  <rect width="100%" height="100%" fill="{style.PAPER}"/>',
            *drawing.canvas.lines,
            "</svg>",
            "",
        ]
    )
