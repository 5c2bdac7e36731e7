"""The picture of a site: zones, hosts and allowed flows, as SVG for people and Mermaid for documents."""

from __future__ import annotations

from lab.topology.graph.mermaid import draw_mermaid
from lab.topology.graph.svg import draw_svg

__all__ = ["draw_mermaid", "draw_svg"]
